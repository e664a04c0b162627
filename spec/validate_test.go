package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// broken is a good estate with one mistake, and what Validate says to it.
type broken struct {
	change func(e *Estate)
	want   []string // summaries, in order
}

func (b broken) check(t *testing.T, name string, seen map[string]bool) {
	t.Helper()
	e := goodEstate()
	b.change(e)
	diags := e.Validate()
	var have []string
	for _, d := range diags {
		have = append(have, d.Summary)
		seen[d.Summary] = true
		if !strings.HasSuffix(d.Detail, ".") || strings.Contains(d.Detail, "%!") || strings.ContainsAny(d.Summary, `"%`) {
			t.Errorf("%s: %q: %q is not well written", name, d.Summary, d.Detail)
		}
	}
	if !slices.Equal(have, b.want) {
		t.Errorf("%s: Validate says\n%s\nwant %q", name, diags.Error(), b.want)
	}
}

// TestGoodEstate keeps the rules quiet about what is right.
func TestGoodEstate(t *testing.T) {
	for _, environment := range Environments() {
		e := goodEstate()
		e.Environment = environment
		if diags := e.Validate(); len(diags) > 0 {
			t.Errorf("%s:\n%s", environment, diags.Error())
		}
	}
	if diags := (&Estate{Environment: Lab}).Validate(); len(diags) > 0 {
		t.Errorf("an empty estate:\n%s", diags.Error())
	}
}

// TestEveryRule breaks every rule of Validate but those of tokens, which are
// tested beside them, and holds that no rule has been left out.
func TestEveryRule(t *testing.T) {
	seen := map[string]bool{}
	for _, group := range []map[string]broken{blockRules(), authorityRules(), issuanceRules(), crlRules(), constraintRules(), onlineRules(), databaseRules(), custodyRules()} {
		for name, b := range group {
			b.check(t, name, seen)
		}
	}
	for _, summary := range summariesInSource(t, "validate.go", "issuance.go") {
		if !slices.ContainsFunc(keysOf(seen), func(s string) bool { return strings.HasPrefix(s, summary) }) {
			t.Errorf("no test breaks the rule %q", summary)
		}
	}
}

func keysOf(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	return keys
}

// summariesInSource lists the summaries of every call of Report and Warn; of
// one that is put together, its beginning.
func summariesInSource(t *testing.T, files ...string) []string {
	t.Helper()
	var all []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 4 {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); !ok || s.Sel.Name != "Report" && s.Sel.Name != "Warn" {
				return true
			}
			summary := call.Args[2]
			if sum, ok := summary.(*ast.BinaryExpr); ok {
				summary = sum.X
			}
			text, err := strconv.Unquote(summary.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text)
			return true
		})
	}
	if len(all) < 20 {
		t.Fatalf("only %d rules found in %v", len(all), files)
	}
	return all
}

func blockRules() map[string]broken {
	waiver := func(change func(w *Waiver)) func(e *Estate) { return func(e *Estate) { change(&e.Lint.Waivers[0]) } }
	return map[string]broken{
		"environment":      {func(e *Estate) { e.Environment = "prod" }, []string{"Unknown environment"}},
		"no environment":   {func(e *Estate) { e.Environment = "" }, []string{"Unknown environment"}},
		"secret in a file": {func(e *Estate) { e.Secrets[0].File, e.Secrets[0].Prompt = "pin.txt", false }, []string{"Secret in a file"}},
		"two sources":      {func(e *Estate) { e.Secrets[0].File = "pin.txt" }, []string{"Two sources for one secret"}},
		"no source":        {func(e *Estate) { e.Secrets[0].Prompt = false }, []string{"Secret without a source"}},
		"secret outside":   {func(e *Estate) { e.Environment, e.Secrets[0].File, e.Secrets[0].Prompt = Lab, "../pin.txt", false }, []string{"Path outside the estate"}},
		"absolute store":   {func(e *Estate) { e.KeyStores[0].Path = "/keys" }, []string{"Path outside the estate"}},
		"unclean store":    {func(e *Estate) { e.KeyStores[0].Path = "keys/" }, []string{"Path outside the estate"}},
		"backslash store":  {func(e *Estate) { e.KeyStores[0].Path = `..\keys` }, []string{"Path outside the estate"}},
		"published store":  {func(e *Estate) { e.KeyStores[0].Path = "certs/keys" }, []string{"Keys among published files"}},
		"capital store":    {func(e *Estate) { e.KeyStores[0].Path = "CRLs" }, []string{"Keys among published files"}},
		"folder as store":  {func(e *Estate) { e.KeyStores[0].Path = "." }, []string{"Keys among published files"}},
		"template":         {func(e *Estate) { e.Templates[0].Kind = "x510" }, []string{"Unknown kind of template"}},
		"provisioner":      {func(e *Estate) { e.Provisioners[0].Kind = "JWK" }, []string{"Unknown type of provisioner"}},
		"no password":      {func(e *Estate) { e.Provisioners[0].Password = nil }, []string{"Provisioner without a password"}},
		"challenge":        {func(e *Estate) { e.Provisioners[1].Challenges = []string{"http-01", "HTTP-01"} }, []string{"Unknown ACME challenge"}},
		"profile":          {func(e *Estate) { e.Lint.Profile = "Private" }, []string{"Unknown lint profile"}},
		"client":           {func(e *Estate) { e.Lint.Clients = []string{"go-1.26", "netscape"} }, []string{"Unknown client"}},
		"severity":         {func(e *Estate) { e.Lint.FailOn = "info" }, []string{"Unknown severity"}},
		"waiver's date":    {waiver(func(w *Waiver) { w.Until = "2027-02-30" }), []string{"Not a date"}},
		"waiver's lint":    {waiver(func(w *Waiver) { w.Lint = "" }), []string{"Waiver without a lint"}},
		"waiver's reason":  {waiver(func(w *Waiver) { w.Reason = " \t" }), []string{"Waiver without a reason"}},
		"waiver's section": {waiver(func(w *Waiver) { w.Citation = "" }), []string{"Waiver without a citation"}},
	}
}

func authorityRules() map[string]broken {
	root := func(change func(a *Authority)) func(e *Estate) { return func(e *Estate) { change(e.Authorities[0]) } }
	issuing := func(change func(a *Authority)) func(e *Estate) { return func(e *Estate) { change(e.Authorities[2]) } }
	return map[string]broken{
		"name":           {root(func(a *Authority) { a.Subject = append(a.Subject, NameAttribute{Type: "country", Value: "de"}) }), []string{"Name that cannot be encoded"}},
		"no common name": {root(func(a *Authority) { a.Subject = Name{{Type: "organization", Value: "ACME"}} }), []string{"Authority without a common name"}},
		"no subject":     {root(func(a *Authority) { a.Subject = nil }), []string{"Authority without a common name"}},
		"no key":         {issuing(func(a *Authority) { a.CSR = nil }), []string{"Authority without a key"}},
		"two keys":       {func(e *Estate) { e.Authorities[1].CSR, e.Authorities[2].Issuer = &CSR{}, e.Authorities[0] }, []string{"Two keys for one authority"}},
		"root by csr":    {func(e *Estate) { e.Authorities[2].Issuer = nil }, []string{"Root from a request", "Root key online"}},
		"algorithm":      {root(func(a *Authority) { a.Key.Algorithm = "rsa-1024" }), []string{"Unknown algorithm"}},
		"usage":          {issuing(func(a *Authority) { a.ExtendedKeyUsage = []ExtKeyUsage{"server_auth", "any"} }), []string{"Unknown extended key usage"}},
		"AIA over https": {root(func(a *Authority) { a.CAIssuersURLs = []string{"https://pki.example/root.cer"} }), []string{"URL is not plain http"}},
		"AIA no URL":     {root(func(a *Authority) { a.CAIssuersURLs = []string{"pki.example"} }), []string{"Not a URL"}},
		"two of a name": {func(e *Estate) {
			twin := *e.Authorities[1]
			twin.Address.Name, twin.CRL = "POLICY", nil
			e.Authorities = append(e.Authorities, &twin)
		}, []string{"Two blocks with one file name"}},
		"device": {func(e *Estate) { e.Authorities[1].Address.Name = "Aux" }, []string{"Name that no file can have on Windows"}},
		"name and key": {func(e *Estate) {
			twin := *e.Authorities[1]
			twin.Address, twin.CRL = Address{Kind: "authority", Name: "a", Key: "b"}, nil
			other := *e.Authorities[1]
			other.Address.Name, other.CRL = "a-b", nil
			e.Authorities = append(e.Authorities, &twin, &other)
		}, []string{"Two blocks with one file name"}},
	}
}

func issuanceRules() map[string]broken {
	return map[string]broken{
		"circle of two": {func(e *Estate) { e.Authorities[0].Issuer = e.Authorities[1] }, []string{"No root at the top"}},
		"circle of one": {func(e *Estate) { e.Authorities[1].Issuer = e.Authorities[1] }, []string{"No root at the top"}},
		"outlives":      {func(e *Estate) { e.Authorities[2].Validity = Duration{Years: 10, Hours: 1} }, []string{"Certificate outlives its issuer"}},
		"as long":       {func(e *Estate) { e.Authorities[2].Validity = Duration{Months: 120} }, nil},
		"no CRL above":  {func(e *Estate) { e.Authorities[1].CRL = nil }, []string{"Certificate that cannot be revoked"}},
		"below a CSR": {func(e *Estate) {
			e.Authorities[1].Issuer, e.Authorities[2].Issuer = e.Authorities[2], e.Authorities[0]
			e.Authorities[1].Validity = Duration{Years: 1}
		}, []string{"Issuer's key lives elsewhere"}},
		"too short":      {func(e *Estate) { e.Authorities[0].PathLength = new(1) }, []string{"Path length exceeded"}},
		"far too short":  {func(e *Estate) { e.Authorities[0].PathLength, e.Authorities[1].PathLength = new(0), new(0) }, []string{"Path length exceeded", "Path length exceeded"}},
		"just enough":    {func(e *Estate) { e.Authorities[0].PathLength, e.Authorities[1].PathLength = new(2), new(1) }, nil},
		"more than that": {func(e *Estate) { e.Authorities[2].PathLength = new(1) }, []string{"Path length exceeds the issuer's"}},
		"negative":       {func(e *Estate) { e.Authorities[2].PathLength = new(-1) }, []string{"Negative path length"}},
	}
}

func crlRules() map[string]broken {
	crl := func(change func(c *CRL)) func(e *Estate) { return func(e *Estate) { change(e.Authorities[0].CRL) } }
	urls := func(u ...string) func(e *Estate) { return crl(func(c *CRL) { c.URLs = u }) }
	return map[string]broken{
		"no URL":    {urls(), []string{"CRL without a URL"}},
		"URL twice": {urls("http://pki.example/a.crl", "http://pki.example/a.crl"), []string{"CRL URL twice"}},
		"in capitals": {func(e *Estate) {
			u := strings.Replace(e.Authorities[0].CRL.URLs[0], "http://", "http://u.", 1)
			e.Authorities[0].CRL.URLs = []string{u}
			e.Authorities[1].CRL.URLs = []string{strings.Replace(u, "u.", "U.", 1)}
		}, []string{"Two lists at one URL"}},
		"two at one":      {func(e *Estate) { e.Authorities[1].CRL.URLs = e.Authorities[0].CRL.URLs }, []string{"Two lists at one URL"}},
		"https":           {urls("https://pki.example/root.crl"), []string{"URL is not plain http"}},
		"ldap":            {urls("ldap://pki.example/cn=root"), []string{"URL is not plain http"}},
		"no scheme":       {urls("pki.example/root.crl"), []string{"Not a URL"}},
		"no host":         {urls("http:///root.crl"), []string{"Not a URL"}},
		"port alone":      {urls("http://:80/root.crl"), []string{"Not a URL"}},
		"user":            {urls("http://a@pki.example/root.crl"), []string{"Not a URL"}},
		"fragment":        {urls("http://pki.example/root.crl#a"), []string{"Not a URL"}},
		"space":           {urls("http://pki.example/root crl"), []string{"Not a URL"}},
		"umlaut":          {urls("http://pki.example/röot.crl"), []string{"Not a URL"}},
		"two good ones":   {urls("http://a.example/root.crl", "http://[2001:db8::1]:8080/root.crl?x=1"), nil},
		"no lifetime":     {crl(func(c *CRL) { c.ValidFor = Duration{} }), []string{"CRL without a lifetime"}},
		"gap":             {crl(func(c *CRL) { c.IssueEvery = Duration{Days: 400} }), []string{"CRL issued after the last one expired"}},
		"gap in months":   {crl(func(c *CRL) { c.ValidFor, c.IssueEvery = Duration{Days: 31}, Duration{Months: 1} }), []string{"CRL issued after the last one expired"}},
		"no gap":          {crl(func(c *CRL) { c.IssueEvery = Duration{Days: 399} }), nil},
		"of another's":    {func(e *Estate) { e.Authorities[2].CRL.ValidFor = Duration{Days: 1} }, []string{"CRL of a key that lives elsewhere"}},
		"of another's, 2": {func(e *Estate) { e.Authorities[2].CRL.IssueEvery = Duration{Days: 1} }, []string{"CRL of a key that lives elsewhere"}},
	}
}

func constraintRules() map[string]broken {
	rules := map[string]broken{"none": {func(e *Estate) { e.Authorities[2].NameConstraints = &NameConstraints{} }, []string{"Empty name constraints"}}}
	for name, bad := range map[string]NameConstraints{
		"empty DNS": {PermittedDNS: []string{""}}, "dot": {ExcludedDNS: []string{".acme.internal"}}, "wildcard": {PermittedDNS: []string{"*.acme.internal"}},
		"umlaut": {ExcludedDNS: []string{"äcme.internal"}}, "DNS and space": {PermittedDNS: []string{"a b"}}, "DNS and path": {PermittedDNS: []string{"a/b"}},
		"address": {PermittedIP: []string{"10.0.0.1"}}, "host bits": {ExcludedIP: []string{"10.0.0.1/8"}}, "long mask": {PermittedIP: []string{"10.0.0.0/33"}},
		"IPv6 host bits": {PermittedIP: []string{"fd00::1/8"}}, "empty mail": {PermittedEmail: []string{""}}, "any mail": {ExcludedEmail: []string{"*@a.b"}},
		"URI with scheme": {PermittedURI: []string{"http://a.b"}}, "URI with port": {ExcludedURI: []string{"a.b:80"}}, "empty URI": {ExcludedURI: []string{""}},
	} {
		rules[name] = broken{func(e *Estate) { e.Authorities[2].NameConstraints = &bad }, []string{"Name constraint that cannot work"}}
	}
	return rules
}

func onlineRules() map[string]broken {
	ca := func(change func(o *OnlineCA)) func(e *Estate) { return func(e *Estate) { change(e.OnlineCAs[0]) } }
	claims := func(low, normal, high *Span) *Claims {
		return &Claims{Origin: origin("provisioner", "admin"), MinTLS: low, DefaultTLS: normal, MaxTLS: high}
	}
	on := func(c *Claims) func(e *Estate) { return func(e *Estate) { e.Provisioners[0].Claims = c } }
	hour, day, week := span(time.Hour), span(24*time.Hour), span(7*24*time.Hour)
	return map[string]broken{
		"root":              {func(e *Estate) { e.OnlineCAs[0].Authority = e.Authorities[0] }, []string{"Root key online"}},
		"ML-DSA root":       {func(e *Estate) { e.Authorities[0].Key.Algorithm = MLDSA65 }, []string{"Algorithm that step-ca cannot use"}},
		"no key":            {ca(func(o *OnlineCA) { o.Key = "" }), []string{"Signing key not said"}},
		"no name":           {ca(func(o *OnlineCA) { o.DNSNames = nil }), []string{"Online CA without a name"}},
		"no port":           {ca(func(o *OnlineCA) { o.Listen = "localhost" }), []string{"Not an address"}},
		"port 0":            {ca(func(o *OnlineCA) { o.InsecureAddress = ":0" }), []string{"Not an address"}},
		"port 65536":        {ca(func(o *OnlineCA) { o.Listen = ":65536" }), []string{"Not an address"}},
		"port by name":      {ca(func(o *OnlineCA) { o.Listen = ":https" }), []string{"Not an address"}},
		"twice":             {ca(func(o *OnlineCA) { o.Provisioners = append(o.Provisioners, o.Provisioners[0]) }), []string{"Provisioner listed twice"}},
		"none":              {ca(func(o *OnlineCA) { o.Provisioners = nil }), []string{"Online CA without provisioners"}},
		"user":              {ca(func(o *OnlineCA) { o.Systemd.User = "a b" }), []string{"Not a plain word"}},
		"percent":           {ca(func(o *OnlineCA) { o.Systemd.Binary = "/usr/bin/%h" }), []string{"Not a plain word"}},
		"relative":          {ca(func(o *OnlineCA) { o.Systemd.Binary = "step-ca" }), []string{"Relative path of a binary"}},
		"claims":            {on(claims(week, day, week)), []string{"Claims out of order"}},
		"inherited default": {on(claims(nil, nil, hour)), []string{"Claims out of order"}}, // 24h
		"inherited max":     {on(claims(nil, week, nil)), []string{"Claims out of order"}},
		"inherited min":     {on(claims(nil, span(time.Minute), nil)), []string{"Claims out of order"}},
		"claims that fit":   {on(claims(hour, hour, hour)), nil},
		"own claims":        {ca(func(o *OnlineCA) { o.Claims = claims(nil, nil, hour); o.Provisioners = o.Provisioners[1:] }), []string{"Claims out of order"}},
		"claims from CA": {func(e *Estate) {
			e.OnlineCAs[0].Claims = claims(nil, nil, week)
			e.Provisioners[0].Claims = claims(nil, week, nil)
		}, nil},
		"claims unlisted": {func(e *Estate) {
			e.OnlineCAs[0].Provisioners = e.Provisioners[1:]
			e.Provisioners[0].Claims = claims(nil, nil, hour)
		}, []string{"Claims out of order"}},
	}
}

func databaseRules() map[string]broken {
	ca := func(change func(o *OnlineCA)) func(e *Estate) { return func(e *Estate) { change(e.OnlineCAs[0]) } }
	db := func(kind, source string) func(e *Estate) {
		return ca(func(o *OnlineCA) { o.Database = &Database{Type: kind, DataSource: source} })
	}
	return map[string]broken{
		"none":          {ca(func(o *OnlineCA) { o.Database = nil }), []string{"ACME without a database", "CRL without a database"}},
		"type":          {db("badger", "db"), []string{"Unknown type of database"}},
		"absolute":      {db("badgerv2", "/var/lib/db"), []string{"Database outside the service's folder"}},
		"above":         {db("bbolt", "../db"), []string{"Database outside the service's folder"}},
		"password":      {db("mysql", "mysql://step:pw@db/"), []string{"Password in the database address"}},
		"key password":  {db("postgresql", "host=db SSLPassword = x"), []string{"Password in the database address"}},
		"named badger":  {ca(func(o *OnlineCA) { o.Database = &Database{Type: "bbolt", DataSource: "db/ca.db", Name: "ca"} }), []string{"Argument of another database"}},
		"mysql URL":     {db("mysql", "mysql://step@db/step"), []string{"Not an address of MySQL"}},
		"mysql no name": {db("mysql", "step@unix(/run/mysqld/mysqld.sock)/"), []string{"Database without a name"}},
		"mysql named":   {db("mysql", "step@unix(/run/mysqld/mysqld.sock)/step?tls=true"), nil},
		"no address":    {db("postgresql", "db"), []string{"Not an address of PostgreSQL"}},
		"libpq's words": {db("postgresql", "host=/run/postgresql user='step ca'"), nil},
		"name": {ca(func(o *OnlineCA) {
			o.Database = &Database{Type: "postgresql", DataSource: "postgres://db/", Name: "ca; DROP TABLE x"}
		}), []string{"Not a database's name"}},
		"good":          {db("badgerv2", "db"), nil},
		"no URL":        {ca(func(o *OnlineCA) { o.Authority.CRL = nil }), []string{"CRL without a URL"}},
		"two URLs":      {ca(func(o *OnlineCA) { o.Authority.CRL.URLs = append(o.Authority.CRL.URLs, "http://b.example/a.crl") }), []string{"Too many CRL URLs for step-ca"}},
		"TLS only":      {ca(func(o *OnlineCA) { o.InsecureAddress = "" }), []string{"CRL served over TLS only"}},
		"renewed late":  {ca(func(o *OnlineCA) { o.CRL.RenewPeriod = span(25 * time.Hour) }), []string{"CRL renewed after it expired"}},
		"default cache": {ca(func(o *OnlineCA) { o.CRL.CacheDuration, o.CRL.RenewPeriod = nil, span(25*time.Hour) }), []string{"CRL renewed after it expired"}},
		"CRL off":       {ca(func(o *OnlineCA) { o.CRL.Enabled, o.InsecureAddress = false, "" }), nil},
	}
}

// TestIssuance walks the tree of the good estate.
func TestIssuance(t *testing.T) {
	e := goodEstate()
	root, policy, issuing := e.Authorities[0], e.Authorities[1], e.Authorities[2]
	if chain := issuing.Chain(); !slices.Equal(chain, []*Authority{issuing, policy, root}) {
		t.Errorf("chain of %d", len(chain))
	}
	if e.PathLen(root) != 2 || e.PathLen(policy) != 1 || e.PathLen(issuing) != 0 {
		t.Errorf("path lengths %d %d %d", e.PathLen(root), e.PathLen(policy), e.PathLen(issuing))
	}
	if e.IssuesLeaves(root) || !e.IssuesLeaves(issuing) || !root.IsRoot() || policy.IsRoot() {
		t.Error("roles are mixed up")
	}
	e.Authorities = []*Authority{issuing, policy, root}
	if order := e.IssuanceOrder(); !slices.Equal(order, []*Authority{root, policy, issuing}) || e.Authorities[0] != issuing {
		t.Error("IssuanceOrder is wrong, or changed the estate")
	}
	root.Issuer = issuing
	if len(issuing.Chain()) != 3 {
		t.Error("Chain does not end on a circle")
	}
	o := e.OnlineCAs[0]
	if o.KeyPath() != "awskms:key-id=1" {
		t.Error("KeyPath hides what was written")
	}
	o.Key = ""
	if o.KeyPath() != "secrets/issuing.key" {
		t.Errorf("KeyPath = %s", o.KeyPath())
	}
}
