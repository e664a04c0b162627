package lint

import (
	"slices"
	"strings"
	ast "text/template/parse"
)

// use is one place where a template names a variable.
type use struct {
	// chain is the path from the top, such as Insecure, CR, DNSNames.
	chain []string
	// text is the action as written.
	text string
	// written says that the action puts the value, or what comes of it, into
	// the document or into a variable, and does not only ask for it.
	written bool
	// last is the function that an action ends with; empty when there is none.
	last string
	// literal says that the action writes a constant.
	literal bool
	// binds says that the action sets a variable, or the dot, and writes
	// nothing by itself.
	binds bool
	// guarded says that a condition around the place compares the value with
	// what is allowed.
	guarded bool
	// optional says that a condition around the place asks whether the value is
	// there.
	optional bool
}

// walker follows the dot and the variables of a template.
type walker struct {
	uses []use
	// variables is what each variable stands for; nil when that is not a path.
	variables map[string][]string
	// asked and compared are the paths that the conditions around the place
	// name, and those that they compare.
	asked, compared [][]string
}

// walkAll is every use in the trees. A template that is called begins with a
// dot of its own, which is not followed.
func walkAll(trees []*ast.Tree) []use {
	var all []use
	for _, tree := range trees {
		w := &walker{variables: map[string][]string{}}
		dot := []string{}
		if tree.Name != "template" {
			dot = nil
		}
		w.list(tree.Root, dot)
		all = append(all, w.uses...)
	}
	return all
}

// list walks nodes with the given dot; nil means that it is not a path.
func (w *walker) list(list *ast.ListNode, dot []string) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *ast.ActionNode:
			w.pipe(n.Pipe, dot, n.String(), true)
			w.assign(n.Pipe, dot)
		case *ast.IfNode:
			w.branch(&n.BranchNode, dot, dot, false)
		case *ast.WithNode:
			w.branch(&n.BranchNode, dot, w.path(n.Pipe, dot), true)
		case *ast.RangeNode:
			w.branch(&n.BranchNode, dot, w.path(n.Pipe, dot), true)
		case *ast.TemplateNode:
			if n.Pipe != nil {
				w.pipe(n.Pipe, dot, n.String(), true)
			}
		}
	}
}

// branch walks a condition or a loop. One that moves the dot hands the value
// on.
func (w *walker) branch(b *ast.BranchNode, dot, inner []string, moves bool) {
	asked, compared := len(w.asked), len(w.compared)
	chains := w.chains(b.Pipe, dot)
	w.asked = append(w.asked, chains...)
	if comparing(b.Pipe) {
		w.compared = append(w.compared, chains...)
	}
	w.pipe(b.Pipe, dot, "{{"+b.Pipe.String()+"}}", moves)
	if moves && len(w.uses) > 0 {
		for i := range w.uses {
			if w.uses[i].text == "{{"+b.Pipe.String()+"}}" {
				w.uses[i].binds = true
			}
		}
	}
	w.assign(b.Pipe, dot)
	w.list(b.List, inner)
	w.asked, w.compared = w.asked[:asked], w.compared[:compared]
	w.list(b.ElseList, dot)
}

// comparing says whether a condition holds a value against something.
func comparing(pipe *ast.PipeNode) bool {
	for _, name := range functionsOf(pipe) {
		switch name {
		case "eq", "has", "mustHas", "in", "regexMatch", "mustRegexMatch", "hasPrefix", "hasSuffix", "contains", "hasKey":
			return true
		}
	}
	return false
}

// pipe notes the uses of one pipeline.
func (w *walker) pipe(pipe *ast.PipeNode, dot []string, text string, written bool) {
	if pipe == nil || len(pipe.Cmds) == 0 {
		return
	}
	u := use{text: text, written: written, binds: len(pipe.Decl) > 0}
	first := pipe.Cmds[len(pipe.Cmds)-1].Args[0]
	switch n := first.(type) {
	case *ast.IdentifierNode:
		u.last = n.Ident
	case *ast.NumberNode, *ast.StringNode, *ast.BoolNode, *ast.NilNode:
		u.literal = true
	}
	chains := w.chains(pipe, dot)
	if len(chains) == 0 {
		chains = [][]string{nil}
	}
	for _, chain := range chains {
		one := u
		one.chain = chain
		same := func(other []string) bool { return len(chain) > 0 && slices.Equal(chain, other) }
		one.guarded = slices.ContainsFunc(w.compared, same)
		one.optional = slices.ContainsFunc(w.asked, same)
		w.uses = append(w.uses, one)
	}
}

// assign notes what the variables of a pipeline stand for. In a loop the last
// one is the element.
func (w *walker) assign(pipe *ast.PipeNode, dot []string) {
	if pipe == nil || len(pipe.Decl) == 0 {
		return
	}
	chain := w.path(pipe, dot)
	for _, variable := range pipe.Decl {
		w.variables[variable.Ident[0]] = chain
	}
}

// path is what a pipeline stands for, where it is nothing but a variable.
func (w *walker) path(pipe *ast.PipeNode, dot []string) []string {
	if len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 1 {
		return nil
	}
	return w.chain(pipe.Cmds[0].Args[0], dot)
}

// chain is the path of one word, nil when it has none.
func (w *walker) chain(node ast.Node, dot []string) []string {
	switch n := node.(type) {
	case *ast.FieldNode:
		if dot == nil {
			return nil
		}
		return slices.Concat(dot, n.Ident)
	case *ast.DotNode:
		return dot
	case *ast.VariableNode:
		if n.Ident[0] == "$" {
			return slices.Clone(n.Ident[1:])
		}
		if base := w.variables[n.Ident[0]]; base != nil {
			return slices.Concat(base, n.Ident[1:])
		}
	}
	return nil
}

// chains is the paths of all words of a pipeline, those in parentheses
// included.
func (w *walker) chains(pipe *ast.PipeNode, dot []string) [][]string {
	var all [][]string
	if pipe == nil {
		return nil
	}
	for _, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			switch n := arg.(type) {
			case *ast.PipeNode:
				all = append(all, w.chains(n, dot)...)
			case *ast.ChainNode:
				if inner, ok := n.Node.(*ast.PipeNode); ok {
					all = append(all, w.chains(inner, dot)...)
				}
			default:
				if chain := w.chain(arg, dot); len(chain) > 0 {
					all = append(all, chain)
				}
			}
		}
	}
	return all
}

// functionsOf is the names of all functions of a pipeline.
func functionsOf(pipe *ast.PipeNode) []string {
	var all []string
	if pipe == nil {
		return nil
	}
	for _, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			switch n := arg.(type) {
			case *ast.IdentifierNode:
				all = append(all, n.Ident)
			case *ast.PipeNode:
				all = append(all, functionsOf(n)...)
			}
		}
	}
	return all
}

// meter stops a template that goes round too often.
type meter struct{ used int }

// maxSteps is how often a template may enter a loop or another template.
const maxSteps = 20_000

// tick is called by every loop and template.
func (m *meter) tick() (string, error) {
	if m.used++; m.used > maxSteps {
		return "", errTooLong
	}
	return "", nil
}

// install puts a call of tick at the start of every loop and template.
func (m *meter) install(trees []*ast.Tree) {
	parsed, err := ast.Parse("tick", "{{tick}}", "", "", map[string]any{"tick": m.tick})
	if err != nil {
		return // the text above is a template
	}
	call := parsed["tick"].Root.Nodes[0]
	for _, tree := range trees {
		meterList(tree.Root, call)
		tree.Root.Nodes = slices.Insert(tree.Root.Nodes, 0, call)
	}
}

func meterList(list *ast.ListNode, call ast.Node) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *ast.IfNode:
			meterList(n.List, call)
			meterList(n.ElseList, call)
		case *ast.WithNode:
			meterList(n.List, call)
			meterList(n.ElseList, call)
		case *ast.RangeNode:
			meterList(n.List, call)
			meterList(n.ElseList, call)
			n.List.Nodes = slices.Insert(n.List.Nodes, 0, call)
		}
	}
}

// under says whether a path begins with the words.
func (u use) under(words ...string) bool {
	return len(u.chain) >= len(words) && slices.Equal(u.chain[:len(words)], words)
}

// name writes the path as a template does.
func (u use) name() string { return "." + strings.Join(u.chain, ".") }
