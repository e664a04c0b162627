package hclspec

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"testing/fstest"

	"pki.internal/spec"
)

// TestForEach makes blocks of every kind that can repeat, over a set and over
// maps, and refers to them in every way there is.
func TestForEach(t *testing.T) {
	e := mustLoad(t, `
locals {
  regions = { us = { days = 10, host = "us.example" }, eu = { days = 20, host = "eu.example" } }
  all     = [for k, a in authority.issuing : a.subject.common_name]
  urls    = { for r in keys(local.regions) : r => authority.issuing[r].crl.urls[0] }
  whole   = authority.issuing["us"].crl
}

secret "jwk" {
  for_each = toset(["web", "admin"])
  prompt   = true
}

key_store "file" "region" {
  for_each = toset(keys(local.regions))
  path     = "keys/${each.key}"
  password = secret.jwk["admin"]
}

authority "issuing" {
  for_each = local.regions
  issuer   = authority.root
  subject {
    common_name         = "Issuing ${upper(each.key)}"
    organizational_unit = each.key == "eu" ? [authority.issuing["us"].subject.common_name] : ["first"]
  }
  key {
    store     = key_store.region[each.key]
    algorithm = "ecdsa-p256"
  }
  validity = "5y"
  crl {
    urls      = ["http://${each.value.host}/${each.key}.crl"]
    valid_for = "${each.value.days}d"
  }
}

provisioner "jwk" "web" {
  for_each = toset(["a", "b"])
  password = each.key == "a" ? secret.jwk["web"] : secret.jwk["admin"]
}

online_ca "site" {
  for_each     = authority.issuing
  authority    = authority.issuing[each.key]
  dns_names    = [split("/", local.urls[each.key])[2], split("/", each.value.crl.urls[0])[2], each.value.path_length == null ? "none" : "some"]
  address      = ":443"
  provisioners = [for p in provisioner.web : p]
  crl {
    enabled = false
  }
}

online_ca "extra" {
  authority    = values(authority.issuing)[0]
  dns_names    = [for x in concat(local.all, [split("/", local.whole.urls[0])[2]]) : lower(replace(x, " ", "-"))]
  address      = ":443"
  provisioners = [provisioner.web["b"]]
}
`, nil)
	us, eu := find(t, e.Authorities, `authority.issuing["us"]`), find(t, e.Authorities, `authority.issuing["eu"]`)
	if us.Subject.Value("common_name") != "Issuing US" || eu.Subject.Value("organizational_unit") != "Issuing US" || us.CRL.ValidFor != (spec.Duration{Days: 10}) {
		t.Errorf("us = %v, eu = %v", us.Subject, eu.Subject)
	}
	if eu.Key.Store.Path != "keys/eu" || eu.Key.Store.Password.Address.Key != "admin" {
		t.Errorf("the store of eu is %+v", eu.Key.Store)
	}
	site := find(t, e.OnlineCAs, `online_ca.site["eu"]`)
	if site.Authority != eu || !slices.Equal(site.DNSNames, []string{"eu.example", "eu.example", "none"}) || len(site.Provisioners) != 2 || site.Provisioners[1].Password.Address.Key != "admin" {
		t.Errorf("site = %+v", site)
	}
	extra := find(t, e.OnlineCAs, `online_ca.extra`)
	if extra.Authority != eu || !slices.Equal(extra.DNSNames, []string{"issuing-eu", "issuing-us", "us.example"}) {
		t.Errorf("extra = %+v", extra)
	}
	if len(e.Authorities) != 3 || e.Authorities[1] != eu { // by key, whatever the order of the map
		t.Errorf("authorities %v", e.Authorities)
	}
	if none := mustLoad(t, "secret \"none\" {\n  for_each = toset([])\n  prompt   = true\n}\n", nil); len(none.Secrets) != 1 {
		t.Error("an empty for_each made a block")
	}
}

type addressed interface {
	*spec.Authority | *spec.OnlineCA
}

func find[T addressed](t *testing.T, all []T, address string) T {
	t.Helper()
	for _, one := range all {
		if reflect.ValueOf(one).Elem().FieldByName("Origin").Interface().(spec.Origin).Address.String() == address {
			return one
		}
	}
	t.Fatalf("there is no %s", address)
	return nil
}

// TestJSONSyntax writes one estate in both syntaxes and expects the same.
func TestJSONSyntax(t *testing.T) {
	native := mustLoad(t, `
variable "n" {
  type    = list(string)
  default = ["a", "b"]
  validation {
    condition     = length(var.n) > 0
    error_message = "Give one."
  }
}

locals {
  names = { for n in var.n : n => "Name ${n}" }
  one   = [1, true, null, "x", "$${x}"]
}

authority "sub" {
  for_each = local.names
  issuer   = authority.root
  subject {
    common_name = "${each.value} of ${authority.root.subject.common_name}"
  }
  key {
    store     = key_store.lab
    algorithm = "ecdsa-p256"
  }
  validity           = "5y"
  path_length        = 0
  extended_key_usage = ["server_auth"]
}

online_ca "a" {
  authority = authority.sub["a"]
  dns_names = ["a.example", "${join("-", var.n)}"]
  address   = ":443"
}

moved {
  from = authority.old["x"]
  to   = authority.sub["a"]
}

removed {
  from = authority.gone
}
`, nil)
	folder := folderOf(t, "")
	folder["main.pki.hcl"] = &fstest.MapFile{Data: []byte("")}
	folder["made.pki.hcl.json"] = &fstest.MapFile{Data: []byte(`{
  "//": "made by a program",
  "variable": { "n": { "type": "list(string)", "default": ["a", "b"],
    "validation": { "condition": "${length(var.n) > 0}", "error_message": "Give one." } } },
  "locals": { "names": "${{ for n in var.n : n => \"Name ${n}\" }}", "one": [1, true, null, "x", "$${x}"] },
  "authority": { "sub": {
    "for_each": "${local.names}",
    "issuer": "authority.root",
    "subject": { "common_name": "${each.value} of ${authority.root.subject.common_name}" },
    "key": { "store": "${key_store.lab}", "algorithm": "ecdsa-p256" },
    "validity": "5y", "path_length": 0, "extended_key_usage": ["server_auth"]
  } },
  "online_ca": { "a": [{ "authority": "authority.sub[\"a\"]", "dns_names": ["a.example", "${join(\"-\", var.n)}"], "address": ":443" }] },
  "moved": { "from": "authority.old[\"x\"]", "to": "${authority.sub[\"a\"]}" },
  "removed": [{ "from": "authority.gone" }]
}`)}
	loaded, diags := Load(folder, nil)
	if diags.HasErrors() {
		t.Fatal(diagnosticsText(diags))
	}
	for _, e := range []*spec.Estate{native, loaded.Estate} {
		var words []string
		for _, a := range e.Authorities {
			words = append(words, a.Address.String(), a.Subject.String(), a.Validity.String())
			a.Origin = spec.Origin{}
		}
		words = append(words, e.OnlineCAs[0].Authority.Subject.String())
		words = append(words, e.OnlineCAs[0].DNSNames...)
		words = append(words, e.Moves[0].From.String(), e.Moves[0].To.String(), e.Removals[0].From.String())
		want := []string{
			"authority.root", "CN=ACME Root CA", "20y",
			`authority.sub["a"]`, "CN=Name a of ACME Root CA", "5y", `authority.sub["b"]`, "CN=Name b of ACME Root CA", "5y",
			"CN=Name a of ACME Root CA", "a.example", "a-b",
			`authority.old["x"]`, `authority.sub["a"]`, "authority.gone",
		}
		if !slices.Equal(words, want) {
			t.Errorf("have %q", words)
		}
	}
	if names := slices.Collect(maps.Keys(loaded.Sources)); len(names) != 3 {
		t.Errorf("sources %v", names)
	}
}
