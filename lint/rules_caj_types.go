package lint

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// typedKeys is the keys of ca.json whose type Go's decoder insists on, in lower
// case, by type. A key means the same type wherever it stands; those that do
// not are left out.
func typedKeys(kind string) []string {
	words := map[string]string{
		"a number": "minversion maxversion minimumpublickeylength encryptionalgorithmidentifier",
		"true or false": "enabled generateonrevoke renegotiation enableadmin disableissuedatcheck disablegetsshhosts enablesshca disablerenewal " +
			"allowrenewalafterexpiry disablesmallstepextensions allowwildcardnames forcecn requireeab disablecustomsans disabletrustonfirstuse " +
			"disablesshcauser disablesshcahost includeroot excludeintermediate federated disabletlsclientauth",
		"a list": "federatedroots dnsnames ciphersuites provisioners admins domains groups scopes authparams accounts imdsversions " +
			"serviceaccounts projectids resourcegroups subscriptionids objectids caaidentities challenges attestationformats capabilities " +
			"webhooks keys",
		"base64": "roots publickeys attestationroots decryptercertificate decrypterkeypem",
		"a duration in quotation marks, such as \"24h\"": "cacheduration renewperiod backdate instanceage",
	}
	return strings.Fields(words[kind])
}

// hasType says whether a value is of the type.
func hasType(raw json.RawMessage, kind string) bool {
	var number float64
	var is bool
	var list []json.RawMessage
	var octets []byte
	var duration string
	switch kind {
	case "a number":
		return json.Unmarshal(raw, &number) == nil
	case "true or false":
		return json.Unmarshal(raw, &is) == nil
	case "a list":
		return json.Unmarshal(raw, &list) == nil
	case "base64":
		return json.Unmarshal(raw, &octets) == nil
	}
	return json.Unmarshal(raw, &duration) == nil
}

// checkTypes names every value of another type than step-ca reads: its decoder
// stops there. Templates and what is handed to them hold keys of their own.
func checkTypes(raw json.RawMessage, place string, depth int) []string {
	var object map[string]json.RawMessage
	var list []json.RawMessage
	if depth > deepestJSON {
		return nil
	}
	if json.Unmarshal(raw, &object) != nil {
		_ = json.Unmarshal(raw, &list)
	}
	var details []string
	for i, element := range list {
		where := fmt.Sprintf("%s[%d]", place, i)
		if strings.EqualFold(place, "authority.provisioners") {
			var p struct {
				Name string `json:"name"`
			}
			_ = json.Unmarshal(element, &p)
			where = stepProvisioner{Name: p.Name}.where(i)
		}
		details = append(details, checkTypes(element, where, depth+1)...)
	}
	for key, value := range object {
		lower := strings.ToLower(key)
		if string(value) == "null" || lower == "templatedata" || lower == "data" || lower == "logger" || lower == "monitoring" || lower == "config" {
			continue
		}
		where := strings.TrimPrefix(place+"."+key, ".")
		for _, kind := range []string{"a number", "true or false", "a list", "base64", "a duration in quotation marks, such as \"24h\""} {
			if slices.Contains(typedKeys(kind), lower) && !hasType(value, kind) {
				details = append(details, fmt.Sprintf("%s is %s, and step-ca reads %s", where, outline(value), kind))
			}
		}
		details = append(details, checkTypes(value, where, depth+1)...)
	}
	slices.Sort(details)
	return details
}

// outline shows a value that is no secret, and the kind of any other.
func outline(raw json.RawMessage) string {
	const shown = 24
	switch {
	case len(raw) == 0:
		return "nothing"
	case raw[0] == '{':
		return "an object"
	case raw[0] == '[':
		return "a list"
	case len(raw) > shown:
		return "a text"
	}
	return string(raw)
}

// decoded is the octets behind base64 in JSON; nil where there are none.
func decoded(text string) []byte {
	octets, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return octets
}
