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
		"key in a token": {func(s *scene) { high(s); s.ca.Key = "pkcs11:token=a;id=01?pin-source=secrets/pin" }, 1.7},
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
		"port 443":          {"CapabilityBoundingSet=CAP_NET_BIND_SERVICE ReadWritePaths=/etc/step-ca/db PrivateDevices=yes Type=notify LoadCredential=password:/etc/step-ca/secrets/password", "PrivateUsers=yes"},
		"high port":         {"CapabilityBoundingSet= PrivateUsers=yes", "CAP_NET_BIND_SERVICE"},
		"no local database": {"ProtectSystem=strict", "ReadWritePaths= AssertPathIsDirectory="},
		"key in a cloud":    {"PrivateDevices=yes", "LoadCredential= --password-file"},
		"key in a token":    {"RestartPreventExitStatus=2 AssertFileNotEmpty=/etc/step-ca/secrets/pin", "PrivateDevices=yes MemoryDenyWriteExecute=yes ProtectClock=yes PrivateUsers=yes LoadCredential="},
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
