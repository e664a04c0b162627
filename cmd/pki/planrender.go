package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"pki.internal/plan"
	"pki.internal/render"
	"pki.internal/spec"
)

// renderChanges lists rendered files that no longer are what the estate gives.
// Writing them needs no ceremony. A tree that was never rendered, or still
// waits for a ceremony, is not looked at.
func renderChanges(root *os.Root, e *spec.Estate, s plan.State) ([]drift, error) {
	drifts := []drift{}
	if _, err := root.Stat(path.Join(renderedDir, render.SiteName)); err == nil {
		site, err := siteTree(e, s)
		if err != nil {
			return nil, err
		}
		if drifts, err = findDrift(root, below(renderedDir, site)); err != nil {
			return nil, err
		}
	}
	for _, o := range e.OnlineCAs {
		name := o.Address.FileName()
		if _, err := root.Stat(path.Join(renderedDir, name)); errors.Is(err, fs.ErrNotExist) || len(render.Waiting(s, o)) > 0 {
			continue
		}
		files, err := render.Tree(e, s, o)
		if err != nil {
			return nil, err
		}
		found, err := findDrift(root, below(renderedDir, []tree{{name, files}}))
		if err != nil {
			return nil, err
		}
		drifts = append(drifts, found...)
	}
	return drifts, nil
}

func (a *app) printRenderOnly(w io.Writer, drifts []drift) {
	if len(drifts) == 0 {
		return
	}
	fmt.Fprintf(w, "\nRender only (%s apply writes it; no ceremony is needed)\n", a.self())
	for _, d := range drifts {
		fmt.Fprintf(w, "    ~  %s: %s\n", d.Path, d.What)
		for _, change := range d.Changes {
			fmt.Fprintf(w, "       %s\n", change)
		}
	}
}
