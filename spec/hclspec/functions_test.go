package hclspec

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestFunctions calls every function once, and some at their edges. Each line
// must come out true.
func TestFunctions(t *testing.T) {
	lines := `
basename("a/b.crt") == "b.crt"
dirname("a/b.crt") == "a"
cidrsubnets("10.0.0.0/8", 8, 4, 8)[1] == "10.16.0.0/12" && cidrsubnets("10.0.0.0/8", 8, 4, 8)[2] == "10.32.0.0/16"
fileexists("people/a.txt") && !fileexists("people/b.txt")
fileset("people", "*.txt") == toset(["a.txt"]) && length(fileset("none", "*")) == 0
index(["a", "b"], "b") == 1 && index([1, 2], 2) == 1
log(8, 2) == 3
matchkeys(["a", "b"], ["x", "y"], ["y"]) == tolist(["b"])
one(["a"]) == "a" && one([]) == null
sum([1, "2"]) == 3
timecmp("2026-12-01T00:00:00Z", "2027-12-01T00:00:00Z") == -1
transpose({ a = ["x", "y"], b = ["x"] }).x == tolist(["a", "b"])
sha512("") == "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
replace("a1b22", "/[0-9]+/", "-") == "a-b-"
abs(-3) == 3
alltrue([true, true]) && alltrue([]) && !alltrue([true, false])
anytrue([false, true]) && !anytrue([]) && !anytrue([false])
base64decode("R3LDtsOfZQ==") == "Größe"
base64encode("Größe") == "R3LDtsOfZQ=="
can(tonumber("1")) && !can(tonumber("x"))
ceil(1.2) == 2
chomp("a\n") == "a"
length(chunklist(["a", "b", "c"], 2)) == 2
cidrcontains("10.0.0.0/8", "10.1.0.0/16") && !cidrcontains("10.1.0.0/16", "10.0.0.0/8") && cidrcontains("fd00::/8", "fd12::1")
cidrhost("10.0.0.0/8", 258) == "10.0.1.2" && cidrhost("10.0.0.0/24", -1) == "10.0.0.255"
cidrnetmask("10.0.0.0/12") == "255.240.0.0" && cidrnetmask("0.0.0.0/0") == "0.0.0.0"
cidrsubnet("10.0.0.0/8", 8, 3) == "10.3.0.0/16" && cidrsubnet("fd00::/8", 56, 1) == "fd00:0:0:1::/64"
coalesce(null, "a") == "a"
coalescelist([], ["a"])[0] == "a"
length(compact(["a", "", "b"])) == 2
concat(["a"], ["b"])[1] == "b"
contains(["a"], "a")
csvdecode("a,b\n1,2\n")[0].b == "2"
length(distinct(["a", "a"])) == 1
element(["a", "b"], 3) == "b"
endswith("root.crl", ".crl") && !endswith("root.crl", "x")
file("people/a.txt") == "text\n"
filebase64("people/a.txt") == "dGV4dAo="
filesha256("people/a.txt") == sha256("text\n")
length(flatten([["a"], [["b"]]])) == 2
floor(1.8) == 1
format("%s-%03d", "a", 7) == "a-007"
formatdate("YYYY", "2026-12-01T00:00:00Z") == "2026"
formatlist("%s.example", ["a", "b"])[1] == "b.example"
indent(2, "a\nb") == "a\n  b"
join("-", ["a", "b"]) == "a-b"
jsondecode("{\"a\":[1]}").a[0] == 1
jsonencode({ a = [1] }) == "{\"a\":[1]}"
keys({ b = 1, a = 2 })[0] == "a"
length("Größe") == 5 && length(["a"]) == 1 && length({}) == 0
lookup({ a = "x" }, "b", "y") == "y"
lower("A") == "a"
max(1, 3, 2) == 3
merge({ a = 1 }, { a = 2 }).a == 2
min(1, 3, "2") == 1
parseint("ff", 16) == 255
pow(2, 10) == 1024
length(range(5)) == 5
regex("[0-9]+", "ab12") == "12"
length(regexall("[a-z]", "ab1")) == 2
regexreplace("a1b2", "[0-9]", "-") == "a-b-"
replace("a.b", ".", "-") == "a-b"
reverse(["a", "b"])[0] == "b"
length(setintersection(["a", "b"], ["b"])) == 1
length(setproduct(["a", "b"], ["1", "2"])) == 4
length(setsubtract(["a", "b"], ["b"])) == 1
length(setunion(["a"], ["b"])) == 2
sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
signum(-3) == -1
slice(["a", "b", "c"], 1, 2)[0] == "b"
sort(["b", "a"])[0] == "a"
split(",", "a,b")[1] == "b"
startswith("root.crl", "root") && !startswith("root.crl", "x")
strcontains("root.crl", "t.c")
strrev("ab") == "ba"
substr("hello", 1, 2) == "el"
templatefile("t.tpl", { names = ["a", "b"], n = 2 }) == "Hello a, b! 3\n"
timeadd("2026-12-01T00:00:00Z", "1h") == "2026-12-01T01:00:00Z"
title("acme root") == "Acme Root"
tobool("true")
tolist(["a"])[0] == "a"
tomap({ a = "b" }).a == "b"
tonumber("12") == 12
length(toset(["a", "a"])) == 1
tostring(12) == "12"
trim("?a?", "?") == "a"
trimprefix("root.crl", "root") == ".crl"
trimspace(" a ") == "a"
trimsuffix("root.crl", ".crl") == "root"
try(tonumber("x"), 5) == 5
upper("a") == "A"
urlencode("a b&c") == "a+b%26c"
values({ b = 1, a = 2 })[0] == 2
zipmap(["a"], [1]).a == 1
`
	folder := folderOf(t, "")
	folder["people/a.txt"] = &fstest.MapFile{Data: []byte("text\n")}
	folder["t.tpl"] = &fstest.MapFile{Data: []byte("Hello %{ for i, n in names ~}\n${i > 0 ? \", \" : \"\"}${n}%{ endfor ~}\n! ${n + \"1\"}\n")}
	l := &loader{}
	for _, name := range l.functionNames() {
		if !strings.Contains(lines, "\n"+name+"(") && !strings.Contains(lines, "("+name+"(") {
			t.Errorf("%s is not tried", name)
		}
	}
	for line := range strings.Lines(strings.TrimPrefix(lines, "\n")) {
		folder["main.pki.hcl"] = &fstest.MapFile{Data: []byte("locals {\n  a = !tobool(" + strings.TrimSpace(line) + ")\n  b = local.a ? file(\"none\") : \"\"\n}\n")}
		if _, diags := Load(folder, nil); diags.HasErrors() {
			t.Errorf("%s%s", line, diagnosticsText(diags))
		}
	}
}

// TestFunctionsStaySmall calls functions that would fill the memory, or never
// end. They must refuse before they begin.
func TestFunctionsStaySmall(t *testing.T) {
	for name, large := range map[string]string{
		"join":         `join(local.long, [for i in range(1000) : local.long])`,
		"replace":      `replace(local.long, "x", local.long)`,
		"regexreplace": `regexreplace(local.long, "[x]", local.long)`,
		"setproduct":   `setproduct(range(1000), range(1000), range(1000))`,
		"indent":       `indent(1e12, "a\nb")`,
		"format":       `format("%99999d", 1)`,
		"formatlist":   `formatlist("%99999d", [1])`,
		"loops":        `[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1][0]][0]][0]`,
		"template":     `templatefile("t.tpl", {})`,
		"host":         `cidrhost("fd00::/8", pow(2, 200))`,
	} {
		folder := folderOf(t, "locals {\n  long = \""+strings.Repeat("x", 1<<20)+"\"\n  a = "+large+"\n}\n")
		folder["t.tpl"] = &fstest.MapFile{Data: []byte(strings.Repeat("${", 1000) + "1" + strings.Repeat("}", 1000))}
		if _, diags := Load(folder, nil); !diags.HasErrors() {
			t.Errorf("%s came out", name)
		}
	}
}

// TestFilesStayInside keeps every function that reads below the folder.
func TestFilesStayInside(t *testing.T) {
	for _, call := range []string{`file("../x")`, `file("/etc/passwd")`, `filebase64("a/../../x")`, `filesha256("./x")`, `templatefile("../x", {})`, `file("")`, `file("a\\b")`} {
		_, diags := Load(folderOf(t, "locals {\n  a = "+call+"\n}\n"), nil)
		if text := diagnosticsText(diags); !strings.Contains(text, "Invalid function argument") {
			t.Errorf("%s:\n%s", call, text)
		}
	}
}
