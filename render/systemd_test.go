package render_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pki.internal/spec"
)

// units are the shapes that a unit takes, with the exposure that
// systemd-analyze may at most find in each.
func units() map[string]struct {
	change func(*scene)
	most   float64
} {
	high := func(s *scene) { s.ca.Listen, s.ca.InsecureAddress = ":9443", ":9080" }
	return map[string]struct {
		change func(*scene)
		most   float64
	}{
		"port 443":  {func(*scene) {}, 1.4},
		"high port": {high, 1.1},
		"no local database": {func(s *scene) {
			high(s)
			s.ca.Database = &spec.Database{Type: "postgresql", DataSource: "postgresql:///ca?host=/run/postgresql"}
		}, 1.1},
		"key in a cloud": {func(s *scene) { high(s); s.ca.Key = "awskms:key-id=1" }, 1.1},
		// PrivateDevices and MemoryDenyWriteExecute, which may keep a vendor's
		// module from loading, are 0.2 and 0.1.
		"key in a token":             {func(s *scene) { high(s); s.ca.Key = "pkcs11:token=a;id=01?pin-source=secrets/pin" }, 1.3},
		"key in a token on port 443": {func(s *scene) { s.ca.Key = "pkcs11:token=a;id=01?pin-source=/run/credentials/step-ca.service/pin" }, 1.6},
		// Where a module talks to the device itself, the device must be there:
		// PrivateDevices alone is 0.2.
		"key in a bare USB device": {func(s *scene) {
			high(s)
			s.ca.Systemd.HSM, s.ca.Key = "usb", "pkcs11:token=a;id=01?pin-source=secrets/pin"
		}, 1.3},
		"key in a bare USB device on port 443": {func(s *scene) { s.ca.Systemd.HSM, s.ca.Key = "usb", "pkcs11:token=a;id=01?pin-source=secrets/pin" }, 1.7},
		"known networks":                       {func(s *scene) { high(s); s.ca.Systemd.Networks = []string{"10.0.0.0/8", "fd00::/8"} }, 1.0},
		"key in a network HSM": {func(s *scene) {
			high(s)
			s.ca.Systemd.HSM, s.ca.Key = "network", "pkcs11:token=a;id=01?pin-source=/run/credentials/step-ca.service/pin"
		}, 1.3},
		"key in a YubiKey":      {func(s *scene) { high(s); s.ca.Key = "yubikey:slot-id=9c?pin-source=secrets/pin" }, 1.1},
		"key in a TPM":          {func(s *scene) { high(s); s.ca.Key = "tpmkms:name=ca" }, 1.2},
		"encrypted credentials": {func(s *scene) { high(s); s.ca.Systemd.EncryptedCredentials = true }, 1.1},
		"SSH":                   {func(s *scene) { high(s); s.withSSH() }, 1.1},
		"registration": {func(s *scene) {
			high(s)
			s.ca.CRL, s.ca.InsecureAddress, s.ca.Registration = nil, "", registrations()["a JWK of step-ca"]
		}, 1.1},
	}
}

// analyze runs systemd-analyze on a scene's unit, whose binary is one that
// every host has.
func analyze(t *testing.T, change func(*scene), arguments ...string) (string, error) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so nobody has checked the unit; apt-get install systemd")
	}
	s := twoTier()
	change(s)
	s.ca.Systemd.Binary = "/bin/true"
	unit := filepath.Join(t.TempDir(), "step-ca.service")
	must(t, os.WriteFile(unit, []byte(s.mustTree(t)["systemd/step-ca.service"]), 0o644))
	out, err := exec.Command(tool, append(arguments, unit)...).CombinedOutput()
	return string(out), err
}

func TestUnitVerifies(t *testing.T) {
	for name, c := range units() {
		t.Run(name, func(t *testing.T) {
			// A misspelt setting is only a warning to systemd, so any word is too many.
			if out, err := analyze(t, c.change, "verify", "--man=no", "--recursive-errors=no"); err != nil || strings.Contains(out, "step-ca.service:") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

var exposure = regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)

func TestUnitExposure(t *testing.T) {
	for name, c := range units() {
		t.Run(name, func(t *testing.T) {
			out, err := analyze(t, c.change, "security", "--offline=true", "--no-pager")
			found := exposure.FindStringSubmatch(out)
			if found == nil {
				t.Fatalf("%v\n%s", err, out)
			}
			score, err := strconv.ParseFloat(found[1], 64)
			must(t, err)
			t.Logf("exposure %.1f", score)
			if score > c.most {
				t.Errorf("exposure %.1f, at most %.1f was wanted\n%s", score, c.most, out)
			}
		})
	}
}

// TestUnitGivesWhatIsNeeded and nothing for what is not there.
func TestUnitGivesWhatIsNeeded(t *testing.T) {
	for name, c := range map[string]struct{ has, lacks string }{
		"port 443":                   {"CapabilityBoundingSet=CAP_NET_BIND_SERVICE ReadWritePaths=/etc/step-ca/db PrivateDevices=yes Type=notify LoadCredential=password:/etc/step-ca/secrets/password", "PrivateUsers=yes"},
		"high port":                  {"CapabilityBoundingSet= PrivateUsers=yes", "CAP_NET_BIND_SERVICE"},
		"no local database":          {"ProtectSystem=strict", "ReadWritePaths= AssertPathIsDirectory="},
		"key in a cloud":             {"PrivateDevices=yes", "LoadCredential= --password-file"},
		"key in a token":             {"RestartPreventExitStatus=2 AssertFileNotEmpty=/etc/step-ca/secrets/pin DevicePolicy=closed Wants=pcscd.socket", "DeviceAllow LoadCredential= PrivateDevices=yes MemoryDenyWriteExecute=yes"},
		"key in a bare USB device":   {"DevicePolicy=closed RestartPreventExitStatus=2 ProtectClock=yes", "PrivateDevices=yes"},
		"known networks":             {"IPAddressDeny=any", "IPAddressAllow=any"},
		"key in a token on port 443": {"RestartPreventExitStatus=2 LoadCredential=pin:/etc/step-ca/secrets/pin", "--password-file"},
		"key in a network HSM":       {"DevicePolicy=closed RestartPreventExitStatus=2", "DeviceAllow MemoryDenyWriteExecute=yes"},
		"key in a YubiKey":           {"PrivateDevices=yes After=pcscd.socket RestartPreventExitStatus=2", "DeviceAllow"},
		"key in a TPM":               {"DevicePolicy=closed RestartPreventExitStatus=2", "PrivateDevices LoadCredential"},
		"encrypted credentials":      {"LoadCredentialEncrypted=password:/etc/credstore.encrypted/step-ca.password AssertFileNotEmpty=/etc/credstore.encrypted/step-ca.password", "/etc/step-ca/secrets/password"},
		"SSH":                        {"LoadCredential=password:/etc/step-ca/secrets/password LoadCredential=ssh-host-password:/etc/step-ca/secrets/ssh-host-password LoadCredential=ssh-user-password:/etc/step-ca/secrets/ssh-user-password AssertFileNotEmpty=/etc/step-ca/secrets/ssh-host.key", "DeviceAllow"},
		"registration":               {"LoadCredential=issuer-password:/etc/step-ca/secrets/issuer-password", "issuing.key"},
	} {
		s := twoTier()
		units()[name].change(s)
		unit := s.mustTree(t)["systemd/step-ca.service"]
		for _, line := range strings.Fields(c.has) {
			if !strings.Contains(unit, "\n"+line+"\n") {
				t.Errorf("%s: the unit has no line %s", name, line)
			}
		}
		for _, line := range strings.Fields(c.lacks) {
			if strings.Contains(unit, line) {
				t.Errorf("%s: the unit has %s", name, line)
			}
		}
	}
}

// TestInstructionsNameEveryFile of the tree, so that none is left behind.
func TestInstructionsNameEveryFile(t *testing.T) {
	tree := twoTier().mustTree(t)
	for path := range tree {
		if path != "INSTALL.txt" && !strings.Contains(tree["INSTALL.txt"], path) {
			t.Errorf("INSTALL.txt does not say where %s goes", path)
		}
	}
	for _, secret := range []string{"/etc/step-ca/secrets/issuing.key   owner step, mode 0400", "/etc/step-ca/secrets/password   owner root, mode 0400"} {
		if !strings.Contains(tree["INSTALL.txt"], secret) {
			t.Errorf("INSTALL.txt does not ask for %s", secret)
		}
	}
}

// TestClientUnitsVerify has systemd read the units of hosts that hold
// certificates.
func TestClientUnitsVerify(t *testing.T) {
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed, so nobody has checked the units; apt-get install systemd")
	}
	s := twoTier()
	s.withSSH()
	folder, checked := t.TempDir(), 0
	var names []string
	for path, text := range s.mustTree(t) {
		name, found := strings.CutPrefix(path, "systemd/clients/")
		if !found {
			continue
		}
		checked++
		// Every binary of step is one that every host has.
		text = strings.ReplaceAll(text, "/usr/bin/step ", "/bin/true ")
		names = append(names, filepath.Join(folder, strings.Replace(name, "@.", "@web.", 1)))
		must(t, os.WriteFile(filepath.Join(folder, strings.Replace(name, "@.", "@web.", 1)), []byte(text), 0o644))
	}
	if checked != 4 {
		t.Fatalf("%d units of clients", checked)
	}
	out, err := exec.Command(tool, append([]string{"verify", "--man=no", "--recursive-errors=no"}, names...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "cert-renewer") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
