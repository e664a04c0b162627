package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// stepPattern finds what the workflows run: a run key of GitHub's, or an item
// of GitLab's script.
var stepPattern = regexp.MustCompile(`(?m)^\s+(?:run: |- )(sh .*)$`)

// workflowSteps lists the commands of both workflows but those that talk to a
// forge.
func workflowSteps(t *testing.T, dir string) []string {
	t.Helper()
	var steps []string
	for _, name := range []string{".github/workflows/pki.yml", ".gitlab-ci.yml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		found := stepPattern.FindAllStringSubmatch(string(text), -1)
		if len(found) == 0 {
			t.Fatalf("%s runs nothing", name)
		}
		for _, step := range found {
			steps = append(steps, step[1])
		}
	}
	return steps
}

// shell runs a command in the estate's folder as a runner would.
func shell(t *testing.T, dir, command string) (code int, output string) {
	t.Helper()
	c := exec.Command("sh", "-c", command)
	c.Dir = dir
	c.Env = append(os.Environ(), envNow+"="+today)
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// TestGitOpsKit runs the steps of examples/gitops on an estate: before and
// after its ceremony, and on changes that they must refuse.
func TestGitOpsKit(t *testing.T) {
	for _, tool := range []string{"jq", "git"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed; sh test/setup.sh installs it", tool)
		}
	}
	dir := filepath.Join(t.TempDir(), "estate")
	expect := func(command string, want int, says string) {
		t.Helper()
		if code, out := shell(t, dir, command); code != want || !strings.Contains(out, says) {
			t.Fatalf("%s ended with %d, want %d and %q:\n%s", command, code, want, says, out)
		}
	}
	if out, err := exec.Command("pki", "init", dir, "--example", "gitops").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	steps := workflowSteps(t, dir)
	if len(steps) != 2 {
		t.Fatalf("the workflows run %q", steps)
	}
	expect(steps[0], 0, "The plan keeps the rules of the house.") // GitHub takes 2 for 0
	expect(steps[1], 2, "")                                       // GitLab shows 2 in yellow
	expect("grep -c 'issuing' plan.md", 0, "")

	expect("pki plan --out p.json && pki apply --yes p.json && rm p.json", 0, "")
	expect(steps[1], 0, "The plan keeps the rules of the house.")

	estate, err := os.ReadFile(filepath.Join(dir, "estate.pki.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) {
		t.Helper()
		changed := strings.Replace(string(estate), old, new, 1)
		if changed == string(estate) {
			t.Fatalf("the estate has no %q", old)
		}
		if err := os.WriteFile(filepath.Join(dir, "estate.pki.hcl"), []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	change(`["eu", "us"]`, `["ap", "eu", "us"]`)
	expect(steps[1], 2, "The plan keeps the rules of the house.")
	change(`["eu", "us"]`, `["eu","us"]`)
	expect(steps[1], 1, `["eu", "us"]`) // out of style: the difference is shown
	expect(steps[0], 1, "run pki fmt")  // and a workflow that takes 2 for good does not take this
	change("path_length        = 0", "path_lenght        = 0")
	expect(steps[1], 1, `"path_length"?`)

	expect("git init -q . && git config user.email a@b && git config user.name a && cp hooks/pre-commit .git/hooks/ && chmod +x .git/hooks/pre-commit && git add .", 0, "")
	expect("git commit -qm wrong", 1, `"path_length"?`)
	change("# An estate", "# The estate")
	expect("git add . && git commit -qm right", 0, "")
	expect("git add -f secrets && git commit -qm secrets", 1, "keys and secrets stay out of Git")
}

// TestHouseRules breaks each rule of examples/gitops/policy once.
func TestHouseRules(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("jq is not installed; sh test/setup.sh installs it")
	}
	dir, err := filepath.Abs("../../examples/gitops/policy")
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(want string) string {
		return `{"result":{"plan":{"actions":[{"kind":"sign_certificate","address":"authority.a","sign_certificate":{"want":` + want + `}}],"lint":{}}}}`
	}
	for name, c := range map[string]struct{ plan, refused string }{
		"good":       {certificate(`{"validity":"20y","issuer":"authority.root","name_constraints":"x","extended_key_usage":"server_auth","crl":"http://pki.acme.example/a.crl"}`), ""},
		"root":       {certificate(`{"validity":"20y"}`), ""},
		"names":      {certificate(`{"validity":"5y","issuer":"authority.root","extended_key_usage":"server_auth"}`), "name_constraints"},
		"purposes":   {certificate(`{"validity":"5y","issuer":"authority.root","name_constraints":"x"}`), "extended_key_usage"},
		"long":       {certificate(`{"validity":"21y"}`), "20 years"},
		"other host": {certificate(`{"validity":"5y","crl":"http://other.example/a.crl"}`), "http://pki.acme.example/"},
		"rsa":        {`{"result":{"plan":{"actions":[{"kind":"generate_key","address":"authority.a","generate_key":{"algorithm":"rsa-3072"}}],"lint":{}}}}`, "RSA"},
		"waiver":     {`{"result":{"plan":{"actions":[],"lint":{"waivers":[{"lint":"w_x","object":"authority.a","author":""}]}}}}`, "does not say who decided"},
		"no actions": {`{"result":{"plan":{"actions":[],"lint":{}}}}`, ""},
	} {
		file := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(file, []byte(c.plan), 0o644); err != nil {
			t.Fatal(err)
		}
		code, out := shell(t, dir, "sh check.sh "+file)
		if refused := c.refused != ""; refused != (code == 1) || !strings.Contains(out, c.refused) || refused && strings.Count(out, "\n") != 1 {
			t.Errorf("%s ended with %d:\n%s", name, code, out)
		}
	}
}
