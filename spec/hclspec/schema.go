package hclspec

import (
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pki.internal/spec"
)

// The raw structs below are the schema: one for each block, one field for
// each argument. Struct tags say how a field is written:
//
//	hcl:"name"           required argument
//	hcl:"name,optional"  optional argument
//	hcl:"name,label"     label of the block, in order
//	hcl:"name,block"     nested block; a pointer is optional, a slice repeats
//	doc:"…"              what it is, with an example; diagnostics quote it
//
// Every struct embeds the spec.Origin that decoding fills. Fields decode by
// their type: ref and []ref are references to whole blocks
// and add no edge to the graph of values.

type rawEstate struct {
	spec.Origin

	Name        string      `hcl:"name,label"`
	Environment string      `hcl:"environment" doc:"how much ceremony the estate deserves: \"production\", \"rehearsal\" or \"lab\""`
	Subject     *rawSubject `hcl:"subject,block"`

	Quorum       *rawQuorum `hcl:"quorum,block"`
	RevokedPlans []string   `hcl:"revoked_plans,optional" doc:"a list of digests of plans that must not run, from pki words PLAN"`
}

type rawQuorum struct {
	spec.Origin

	Approvals int `hcl:"approvals" doc:"how many officers must approve a plan before it runs, such as 2"`
}

type rawOfficer struct {
	spec.Origin

	Name      string `hcl:"name,label"`
	Role      string `hcl:"role" doc:"the officer's part in a ceremony, such as \"witness\""`
	PublicKey string `hcl:"public_key,optional" doc:"an SSH public key or a JWK, such as file(\"people/ada.pub\"); who approves plans has one"`
}

type rawCeremony struct {
	spec.Origin

	Readers   int       `hcl:"readers,optional" doc:"how many tokens can be plugged in at one time; as many as there are, when not written"`
	Witnesses *int      `hcl:"witnesses,optional" doc:"how many witnesses must be there throughout; one, when the estate has any"`
	Copies    int       `hcl:"copies,optional" doc:"on how many media beside the host every entry and output is written, with --copy"`
	Network   []string  `hcl:"network,optional" doc:"interfaces that may be up in production, such as [\"eth1\"], for an HSM behind a network"`
	Duties    []rawDuty `hcl:"duty,block"`

	RestoreDrillEvery spec.Duration `hcl:"restore_drill_every,optional" doc:"how often every key and backup is to be tried in a restore drill, such as \"1y\"; pki status reminds of it"`
}

type rawDuty struct {
	spec.Origin

	Name   string        `hcl:"name,label"`
	Owner  ref           `hcl:"owner" doc:"the officer who sees to it, such as officer.ada" ref:"officer"`
	Within spec.Duration `hcl:"within" doc:"how long after the ceremony date it may take, such as \"2d\""`
	Text   string        `hcl:"text" doc:"what is to be done, in a sentence"`
}

type rawSubject struct {
	spec.Origin

	CommonName         string   `hcl:"common_name,optional" doc:"the name people read, such as \"ACME Root CA G1\""`
	Organization       []string `hcl:"organization,optional" doc:"a list, such as [\"ACME\"]"`
	OrganizationalUnit []string `hcl:"organizational_unit,optional" doc:"a list of strings"`
	Country            []string `hcl:"country,optional" doc:"a list of ISO 3166 codes, such as [\"US\"]"`
	Province           []string `hcl:"province,optional" doc:"a list of strings"`
	Locality           []string `hcl:"locality,optional" doc:"a list of strings"`
	StreetAddress      []string `hcl:"street_address,optional" doc:"a list of strings"`
	PostalCode         []string `hcl:"postal_code,optional" doc:"a list of strings"`
	SerialNumber       string   `hcl:"serial_number,optional" doc:"a registration number, not the certificate's serial"`

	OrganizationIdentifier string   `hcl:"organization_identifier,optional" doc:"a registered identifier, such as \"VATDE-123456789\" (ETSI EN 319 412-1)"`
	DomainComponent        []string `hcl:"domain_component,optional" doc:"a list of labels, the widest first, such as [\"example\", \"acme\"]"`
	UserID                 string   `hcl:"user_id,optional" doc:"a string"`
	EmailAddress           string   `hcl:"email_address,optional" doc:"a mailbox in ASCII; of old names only"`
	Title                  string   `hcl:"title,optional" doc:"a string"`
	GivenName              string   `hcl:"given_name,optional" doc:"a string"`
	Surname                string   `hcl:"surname,optional" doc:"a string"`
	Initials               string   `hcl:"initials,optional" doc:"a string"`
	GenerationQualifier    string   `hcl:"generation_qualifier,optional" doc:"a string, such as \"III\""`
	Pseudonym              string   `hcl:"pseudonym,optional" doc:"a string"`
	PersonName             string   `hcl:"name,optional" doc:"a string"`
	DNQualifier            string   `hcl:"dn_qualifier,optional" doc:"a string that tells equal names apart"`
	Description            string   `hcl:"description,optional" doc:"a string"`
	TelephoneNumber        string   `hcl:"telephone_number,optional" doc:"a string"`
	PostOfficeBox          string   `hcl:"post_office_box,optional" doc:"a string"`
	BusinessCategory       string   `hcl:"business_category,optional" doc:"a string, such as \"Private Organization\""`
	JurisdictionCountry    string   `hcl:"jurisdiction_country,optional" doc:"an ISO 3166 code"`
	JurisdictionProvince   string   `hcl:"jurisdiction_province,optional" doc:"a string"`
	JurisdictionLocality   string   `hcl:"jurisdiction_locality,optional" doc:"a string"`
	RDNs                   []string `hcl:"rdns,optional" doc:"the whole name instead, in its encoded order, such as [\"C=DE\", \"O=ACME\", \"OU=a+CN=b\", \"1.2.3.4=x\"]"`
}

type rawVariable struct {
	spec.Origin

	Name        string          `hcl:"name,label"`
	Type        hcl.Expression  `hcl:"type,optional" doc:"a type, such as string or list(string)"`
	Default     hcl.Expression  `hcl:"default,optional" doc:"the value when none is given"`
	Description string          `hcl:"description,optional" doc:"a sentence"`
	Nullable    *bool           `hcl:"nullable,optional" doc:"false when null is no value for it"`
	Validation  []rawValidation `hcl:"validation,block"`
}

type rawValidation struct {
	spec.Origin

	Condition    hcl.Expression `hcl:"condition" doc:"an expression that is true for good values"`
	ErrorMessage hcl.Expression `hcl:"error_message" doc:"a sentence that says what a good value is"`
}

type rawSecret struct {
	spec.Origin

	Name   string `hcl:"name,label"`
	File   string `hcl:"file,optional" doc:"a file below the estate's folder, outside production only"`
	Prompt bool   `hcl:"prompt,optional" doc:"true to be asked on the terminal"`

	Custodians ref  `hcl:"custodians,optional" doc:"the people who hold its shares, such as custodians.root" ref:"custodians"`
	Length     *int `hcl:"length,optional" doc:"how many characters of 5 bits are made, 32 when not written"`
	Dice       bool `hcl:"dice,optional" doc:"true to have throws of dice or coins mixed in"`
}

type rawCustodians struct {
	spec.Origin

	Name       string        `hcl:"name,label"`
	Threshold  int           `hcl:"threshold" doc:"how many shares give the secret, such as 3; with groups, how many groups"`
	Sharing    *int          `hcl:"sharing,optional" doc:"1 at first; one more has the secret shared anew among the same people, because a share was lost or seen"`
	DrillEvery spec.Duration `hcl:"drill_every,optional" doc:"how often every share is to be proven, such as \"6mo\"; \"1y\" when not written"`
	Holders    []rawHolder   `hcl:"holder,block"`
	Groups     []rawGroup    `hcl:"group,block"`
}

type rawGroup struct {
	spec.Origin

	Name      string      `hcl:"name,label"`
	Threshold int         `hcl:"threshold" doc:"how many of its people stand for the group, such as 2"`
	Holders   []rawHolder `hcl:"holder,block"`
}

type rawHolder struct {
	spec.Origin

	Name      string `hcl:"name,label"`
	Recipient string `hcl:"recipient,optional" doc:"the holder's age recipient, such as \"age1…\"; none for paper"`
	Identity  string `hcl:"identity,optional" doc:"in a lab, a file that stands for the holder, such as \"secrets/alice.key\""`
	Site      string `hcl:"site,optional" doc:"where the share is kept, such as \"berlin\""`
	Officer   ref    `hcl:"officer,optional" doc:"who the holder is in ceremonies, such as officer.ada; not needed when the names are the same" ref:"officer"`
}

type rawKeyStore struct {
	spec.Origin

	Kind     string `hcl:"type,label"`
	Name     string `hcl:"name,label"`
	Path     string `hcl:"path,optional" doc:"the folder of the encrypted keys, such as \"keys\""`
	Password ref    `hcl:"password,optional" doc:"a reference to a secret, such as secret.root" ref:"secret"`

	Module       string `hcl:"module,optional" doc:"the whole path of a PKCS#11 module, such as \"/usr/lib/softhsm/libsofthsm2.so\""`
	ModuleSHA256 string `hcl:"module_sha256,optional" doc:"the SHA-256 of the module's file, in lower-case hex"`
	InitArgs     string `hcl:"init_args,optional" doc:"what the module wants to read at start; most want nothing"`
	Token        string `hcl:"token,optional" doc:"the token's label"`
	Serial       string `hcl:"serial,optional" doc:"the token's serial number, as text"`
	Manufacturer string `hcl:"manufacturer,optional" doc:"the token's manufacturer"`
	Model        string `hcl:"model,optional" doc:"the token's model"`
	PIN          ref    `hcl:"pin,optional" doc:"a reference to a secret, such as secret.root_pin" ref:"secret"`
	PINPad       bool   `hcl:"pin_pad,optional" doc:"true when the PIN is entered on the device"`
	Initialize   bool   `hcl:"initialize,optional" doc:"true when the first ceremony makes an empty token ready"`
	OfficerPIN   ref    `hcl:"so_pin,optional" doc:"a reference to a secret, such as secret.root_so_pin" ref:"secret"`
	Capabilities string `hcl:"capabilities,optional" doc:"a file that pki token test wrote, below the estate's folder"`

	PINAlphabet        string `hcl:"pin_alphabet,optional" doc:"of a PIN from custodians: \"letters\", \"digits\" or \"hex\""`
	PINLength          int    `hcl:"pin_length,optional" doc:"how many characters a PIN from custodians has"`
	OfficerPINAlphabet string `hcl:"so_pin_alphabet,optional" doc:"of an officer's PIN from custodians: \"letters\", \"digits\" or \"hex\""`
	OfficerPINLength   int    `hcl:"so_pin_length,optional" doc:"how many characters an officer's PIN from custodians has"`
}

type rawAuthority struct {
	spec.Origin

	Name             string              `hcl:"name,label"`
	Issuer           ref                 `hcl:"issuer,optional" doc:"the authority that signs this one, such as authority.root; a root has none" ref:"authority"`
	Subject          *rawSubject         `hcl:"subject,block"`
	Key              *rawKey             `hcl:"key,block"`
	CSR              string              `hcl:"csr,optional" doc:"a PKCS#10 request below the estate's folder, such as \"csr/issuing.csr\""`
	Validity         spec.Duration       `hcl:"validity" doc:"how long each certificate counts, such as \"20y\""`
	PathLength       *int                `hcl:"path_length,optional" doc:"how many authorities may stand below, such as 1"`
	ExtendedKeyUsage []string            `hcl:"extended_key_usage,optional" doc:"a list of names or object identifiers, such as [\"server_auth\", \"client_auth\"]"`
	CAIssuersURLs    []string            `hcl:"ca_issuers_urls,optional" doc:"where this authority's own certificate is published, for the AIA of what it signs"`
	NameConstraints  *rawNameConstraints `hcl:"name_constraints,block"`
	CRL              *rawCRL             `hcl:"crl,block"`
	OCSP             *rawOCSP            `hcl:"ocsp,block"`
	Generation       *int                `hcl:"generation,optional" doc:"which key this is: 1, and one more each time the key is replaced"`
	KeyReuse         bool                `hcl:"key_reuse,optional" doc:"true when a second certificate may be signed for the key that is there"`
	RenewBefore      spec.Duration       `hcl:"renew_before,optional" doc:"how long before its end the certificate is renewed with the same key, such as \"1y\""`
	Lifecycle        *rawLifecycle       `hcl:"lifecycle,block"`
	Import           *rawImport          `hcl:"import,block"`

	Policies   []rawCertificatePolicy `hcl:"certificate_policy,block"`
	Extensions []rawExtension         `hcl:"extension,block"`
}

type rawLifecycle struct {
	spec.Origin

	PreventReplace bool `hcl:"prevent_replace,optional" doc:"true refuses every plan that replaces the key, or a root's certificate"`
}

type rawKey struct {
	spec.Origin

	Store     ref    `hcl:"store" doc:"a reference to a key store, such as key_store.root" ref:"key_store"`
	Algorithm string `hcl:"algorithm" doc:"a kind of key: ecdsa-p256, -p384 or -p521, rsa-3072 or -4096 (with -pss for RSASSA-PSS), ed25519, ml-dsa-44, -65 or -87"`

	Backup       []ref  `hcl:"backup,optional" doc:"key stores that get a copy in the same ceremony, such as [key_store.root_b]" ref:"key_store"`
	BackupPolicy string `hcl:"backup_policy,optional" doc:"how: \"wrap-then-seal\" or \"vendor-clone\" on tokens, \"copy\" in files; \"none\" says that there is to be none"`
}

type rawNameConstraints struct {
	spec.Origin

	Critical       *bool    `hcl:"critical,optional" doc:"true (the default) or false"`
	PermittedDNS   []string `hcl:"permitted_dns,optional" doc:"a list of domains, such as [\"acme.internal\"]"`
	ExcludedDNS    []string `hcl:"excluded_dns,optional" doc:"a list of domains"`
	PermittedIP    []string `hcl:"permitted_ip,optional" doc:"a list of networks, such as [\"10.0.0.0/8\"]"`
	ExcludedIP     []string `hcl:"excluded_ip,optional" doc:"a list of networks"`
	PermittedEmail []string `hcl:"permitted_email,optional" doc:"a list of mail domains or mailboxes"`
	ExcludedEmail  []string `hcl:"excluded_email,optional" doc:"a list of mail domains or mailboxes"`
	PermittedURI   []string `hcl:"permitted_uri,optional" doc:"a list of hosts"`
	ExcludedURI    []string `hcl:"excluded_uri,optional" doc:"a list of hosts"`

	PermittedDirectory []string `hcl:"permitted_directory,optional" doc:"a list of subtrees of names, the widest RDN first, such as [\"C=DE, O=ACME\"]"`
	ExcludedDirectory  []string `hcl:"excluded_directory,optional" doc:"a list of subtrees of names"`
	Accepts            []string `hcl:"accepts,optional" doc:"a list of names that a verifier must accept, such as [\"host.acme.internal\", \"10.1.2.3\"]"`
	Refuses            []string `hcl:"refuses,optional" doc:"a list of names that a verifier must refuse, such as [\"example.com\"]"`
}

type rawCRL struct {
	spec.Origin

	URLs       []string      `hcl:"urls" doc:"where the list is published, such as [\"http://pki.example.com/root.crl\"]"`
	ValidFor   spec.Duration `hcl:"valid_for,optional" doc:"how long each list counts, such as \"400d\""`
	IssueEvery spec.Duration `hcl:"issue_every,optional" doc:"how soon the next one is due, such as \"365d\""`
	OnTimer    bool          `hcl:"on_timer,optional" doc:"true when pki crl sign signs the lists after the first"`
	Presign    int           `hcl:"presign,optional" doc:"how many further lists a ceremony signs ahead of their time, such as 3"`
}

type rawRevocation struct {
	spec.Origin

	Name        string `hcl:"name,label"`
	Certificate string `hcl:"certificate,optional" doc:"the revoked certificate, a file below the estate's folder such as \"certs/old.crt\""`
	Serial      string `hcl:"serial,optional" doc:"its serial number in lower-case hex, when there is no file"`
	Authority   ref    `hcl:"authority,optional" doc:"the authority that issued it, such as authority.root" ref:"authority"`
	Reason      string `hcl:"reason" doc:"why, such as \"superseded\" or \"key_compromise\""`
	Date        string `hcl:"date" doc:"since when, such as \"2026-12-01T09:00:00Z\""`
}

type rawLint struct {
	spec.Origin

	Profile string      `hcl:"profile,optional" doc:"\"private\", \"webpki\" or \"etsi\""`
	FailOn  string      `hcl:"fail_on,optional" doc:"\"notice\", \"warn\" or \"error\""`
	Clients []string    `hcl:"clients,optional" doc:"relying parties that must be able to verify every certificate, such as [\"browsers\", \"go-1.26\"]"`
	Waivers []rawWaiver `hcl:"waiver,block"`
}

type rawWaiver struct {
	spec.Origin

	Lint     string `hcl:"lint" doc:"the exact name of the lint"`
	Object   ref    `hcl:"object" doc:"the object it concerns, such as authority.root" ref:"authority"`
	Reason   string `hcl:"reason" doc:"a sentence"`
	Citation string `hcl:"citation" doc:"the policy section that allows it, such as \"CPS 6.1.5\""`
	Author   string `hcl:"author,optional" doc:"who decided"`
	Until    string `hcl:"until" doc:"a date, such as \"2027-01-31\""`
}

// kind is one block type of the language.
type kind struct {
	word   string // block type; addresses begin with it
	raw    any    // zero value of its raw struct
	single bool   // at most one in an estate
}

// kinds is the whole language, in the order in which help shows it. locals
// has no fixed arguments and stands apart.
func kinds() []kind {
	return []kind{
		{"estate", rawEstate{}, true},
		{"officer", rawOfficer{}, false},
		{"ceremony", rawCeremony{}, true},
		{"variable", rawVariable{}, false},
		{"custodians", rawCustodians{}, false},
		{"secret", rawSecret{}, false},
		{"key_store", rawKeyStore{}, false},
		{"authority", rawAuthority{}, false},
		{"template", rawTemplate{}, false},
		{"provisioner", rawProvisioner{}, false},
		{"ssh_authority", rawSSHAuthority{}, false},
		{"online_ca", rawOnlineCA{}, false},
		{"revocation", rawRevocation{}, false},
		{"cross_certificate", rawCross{}, false},
		{"ocsp_responder", rawResponder{}, false},
		{"moved", rawMoved{}, false},
		{"removed", rawRemoved{}, false},
		{"lint", rawLint{}, true},
	}
}

// field is one tagged field of a raw struct.
type field struct {
	index    int
	name     string
	role     string // "", "optional", "label" or "block"
	doc      string
	refKind  string
	goType   reflect.Type
	repeated bool
}

// fieldsOf reads the tags of a raw struct.
func fieldsOf(t reflect.Type) []field {
	fields := make([]field, 0, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			continue
		}
		name, role, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		fields = append(fields, field{
			index: i, name: name, role: role, doc: f.Tag.Get("doc"), refKind: f.Tag.Get("ref"),
			goType: f.Type, repeated: role == "block" && f.Type.Kind() == reflect.Slice,
		})
	}
	return fields
}

// blockType gives the raw struct of a nested block field.
func (f field) blockType() reflect.Type { return f.goType.Elem() }

// bodySchema gives what hcl needs to read a body of this struct. Required
// arguments are checked by us, because our message says what they are.
func bodySchema(t reflect.Type) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, f := range fieldsOf(t) {
		switch f.role {
		case "label":
		case "block":
			s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: f.name, LabelNames: labelNames(f.blockType())})
		default:
			s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: f.name})
		}
	}
	return s
}

func labelNames(t reflect.Type) []string {
	var names []string
	for _, f := range fieldsOf(t) {
		if f.role == "label" {
			names = append(names, f.name)
		}
	}
	return names
}

// rootSchema gives the block types of a file.
func rootSchema() *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "locals"}}}
	for _, k := range kinds() {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: k.word, LabelNames: labelNames(reflect.TypeOf(k.raw))})
	}
	return s
}
