package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pki.internal/plan"
	"pki.internal/spec"
	"pki.internal/spec/hclspec"
)

func doctorCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Say whether this computer is fit for a ceremony",
		Long: `Look at the computer on which a ceremony is to be held, and at the estate's folder
if there is one: clock, network, swap, hibernation, core dumps and tracing,
randomness, printers, space, and the modules of the tokens. It changes nothing but
for one small file that it writes into the folder and removes. Exit code 2 means
that something is unfit. It looks at Linux.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.doctor() },
	}
}

// symptom is one thing that was looked at.
type symptom struct {
	What  string `json:"what"`
	Fit   bool   `json:"fit"`
	Found string `json:"found"`
	Next  string `json:"next,omitempty"` // of what is unfit
}

// patient is the computer as its files show it.
type patient struct {
	host     fs.FS // "/"
	now      time.Time
	symptoms []symptom
}

func (p *patient) fit(what, found string, args ...any) {
	p.symptoms = append(p.symptoms, symptom{What: what, Fit: true, Found: fmt.Sprintf(found, args...)})
}

func (p *patient) unfit(what, next, found string, args ...any) {
	p.symptoms = append(p.symptoms, symptom{What: what, Found: fmt.Sprintf(found, args...), Next: next})
}

// read gives a small file of the system, or nothing.
func (p *patient) read(name string) string {
	text, err := fs.ReadFile(p.host, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func (a *app) doctor() error {
	p := &patient{host: os.DirFS("/"), now: a.now()}
	p.checkBuild(buildTime())
	p.checkNetwork()
	p.checkMemory()
	p.checkTracing()
	p.checkRandomness()
	p.checkPrinters()
	if err := a.checkEstate(p); err != nil {
		return err
	}
	unfit := 0
	for _, s := range p.symptoms {
		if !s.Fit {
			unfit++
		}
	}
	result := map[string]any{"fit": unfit == 0, "checks": p.symptoms}
	if err := a.emit("doctor", result, func(w io.Writer) { a.printSymptoms(w, p.symptoms) }); err != nil {
		return err
	}
	switch {
	case unfit > 0 && a.json:
		return &changesError{}
	case unfit > 0:
		return &changesError{found: fmt.Sprintf("This computer is not fit for a ceremony: %s.", count(unfit, "finding"))}
	}
	return nil
}

func (a *app) printSymptoms(w io.Writer, all []symptom) {
	for _, s := range all {
		word := "ok   "
		if !s.Fit {
			word = "UNFIT"
		}
		fmt.Fprintf(w, "  %s  %-12s  %s\n", word, s.What, wrap(s.Found, a.width-23, strings.Repeat(" ", 23)))
		if s.Next != "" {
			fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", 23), wrap("Next: "+s.Next+".", a.width-23, strings.Repeat(" ", 23)))
		}
	}
}

// buildTime is when the source of this program was committed, zero when nobody
// knows.
func buildTime() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" {
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

func (p *patient) checkBuild(built time.Time) {
	switch {
	case p.now.Before(built):
		p.unfit("clock", "set the clock right, in UTC, by another clock", "it says %s, before this program was made (%s)", instant(p.now), instant(built))
	case p.now.Year() < 2026:
		p.unfit("clock", "set the clock right, in UTC, by another clock", "it says %s", instant(p.now))
	default:
		p.fit("clock", "%s; let two people compare it with another clock", instant(p.now))
	}
}

// interfacesUp lists the interfaces that are up, but for the loopback one. The
// kernel gives the flags of each: IFF_UP is bit 0. In a network namespace of its
// own a process still sees the interfaces of /sys as it was mounted; those that
// it has are in its own table.
func interfacesUp(host fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(host, "sys/class/net")
	if err != nil {
		return nil, fmt.Errorf("the network interfaces cannot be listed: %w", err)
	}
	table, tableErr := fs.ReadFile(host, "proc/self/net/dev")
	var up []string
	for _, e := range entries {
		if tableErr == nil && !strings.Contains(string(table), e.Name()+":") {
			continue
		}
		if e.Name() == "lo" || e.Name() == "bonding_masters" {
			continue
		}
		text, err := fs.ReadFile(host, "sys/class/net/"+e.Name()+"/flags")
		flags, bad := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
		if err != nil || bad != nil || flags&1 != 0 {
			up = append(up, e.Name())
		}
	}
	return up, nil
}

// testOnlyInterfaces gives the interfaces of this computer that are up. Tests
// of the command set it to another list, because they run where a network is.
var testOnlyInterfaces = func() ([]string, error) { return interfacesUp(os.DirFS("/")) }

func (p *patient) checkNetwork() {
	up, err := interfacesUp(p.host)
	if err != nil {
		p.unfit("network", "mount /sys, or make sure by eye that no network is connected", "%s", err)
		return
	}
	if len(up) > 0 {
		p.unfit("network", "unplug it and turn radios off, or ip link set "+up[0]+" down", "up: %s", strings.Join(up, ", "))
		return
	}
	p.fit("network", "no interface is up")
}

// checkMemory looks for ways by which memory reaches a disk.
func (p *patient) checkMemory() {
	swaps := strings.Split(p.read("proc/swaps"), "\n")
	if n := len(swaps) - 1; n > 0 {
		p.unfit("swap", "swapoff -a", "%s in use; passwords could reach a disk", count(n, "swap area"))
	} else {
		p.fit("swap", "none")
	}
	resume := p.read("sys/power/resume")
	if strings.Contains(p.read("sys/power/state"), "disk") && resume != "" && resume != "0:0" {
		p.unfit("hibernation", "start without resume=, or mask hibernate.target", "memory can be written to the device %s", resume)
	} else {
		p.fit("hibernation", "off")
	}
}

func (p *patient) checkTracing() {
	pattern := p.read("proc/sys/kernel/core_pattern")
	if strings.HasPrefix(pattern, "|") {
		p.unfit("core dumps", "sysctl kernel.core_pattern=core, and ulimit -c 0", "the memory of a program that crashes is handed to %s", strings.TrimPrefix(strings.Fields(pattern)[0], "|"))
	} else {
		p.fit("core dumps", "nobody collects them, and pki makes none of itself")
	}
	if scope := p.read("proc/sys/kernel/yama/ptrace_scope"); scope == "0" {
		p.unfit("tracing", "sysctl kernel.yama.ptrace_scope=2", "any program of this user may read the memory of another")
	} else {
		p.fit("tracing", "ptrace_scope is %s", orRefused(scope))
	}
}

func orRefused(text string) string {
	if text == "" {
		return "not there; pki refuses to be traced by itself"
	}
	return text
}

func (p *patient) checkRandomness() {
	available, err := strconv.Atoi(p.read("proc/sys/kernel/random/entropy_avail"))
	if err != nil || available < 256 {
		p.unfit("randomness", "wait, or connect a source of randomness", "the kernel says it has %d bits of 256", available)
		return
	}
	p.fit("randomness", "the kernel's generator is ready (%d bits)", available)
}

func (p *patient) checkPrinters() {
	var found []string
	for _, dir := range []string{"dev/usb", "sys/class/usbmisc"} {
		entries, err := fs.ReadDir(p.host, dir)
		if err != nil {
			continue // no such devices
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "lp") {
				found = append(found, e.Name())
			}
		}
	}
	if len(found) > 0 {
		p.unfit("printers", "unplug it, or trust its memory with shares; a worksheet can be filled by hand", "connected: %s", strings.Join(found, ", "))
		return
	}
	p.fit("printers", "none")
}

// needed is the space that a ceremony is given: a ledger of thousands of
// entries and all its files are far below it.
const needed = 64 << 20

// checkEstate looks at the folder, the ledger in it and what the estate names.
func (a *app) checkEstate(p *patient) error {
	root, err := a.folder()
	if err != nil {
		return err
	}
	defer root.Close()
	p.checkFolder(root)
	book, err := a.book(root)
	switch {
	case err != nil:
		p.unfit("ledger", "see pki verify", "%s", err)
	case p.now.Before(book.State().LastTime):
		p.unfit("ledger", "set the clock right, in UTC", "its last entry is of %s, which is later than the clock", instant(book.State().LastTime))
	default:
		p.fit("ledger", "%s; the last one is not after the clock", count(len(book.Entries), "entry"))
	}
	names, err := fs.Glob(root.FS(), "*"+hclspec.Suffix)
	if err != nil || len(names) == 0 {
		return err
	}
	loaded, diags := hclspec.Load(root.FS(), nil)
	if diags.HasErrors() {
		p.unfit("estate", "see pki validate", "it is not valid as it stands")
		return nil
	}
	for _, k := range loaded.Estate.KeyStores {
		if k.Token != nil {
			p.checkModule(k)
		}
	}
	return nil
}

func (p *patient) checkFolder(root *os.Root) {
	const probe = ".pki-doctor"
	err := folderFiles{root}.Write(plan.File{Path: probe, Mode: 0o600, Data: []byte("pki doctor\n")})
	if err = errors.Join(err, ignoreMissing(root.Remove(probe))); err != nil {
		p.unfit("folder", "use a medium that can be written", "%s", err)
		return
	}
	free, err := freeSpace(root)
	switch {
	case err != nil:
		p.unfit("folder", "use another medium", "%s", err)
	case free < needed:
		p.unfit("folder", "make space, or use another medium", "%d MiB are free, and %d are wanted", free>>20, needed>>20)
	default:
		p.fit("folder", "can be written, synced and read back; %d MiB are free", free>>20)
	}
}

func freeSpace(root *os.Root) (uint64, error) {
	d, err := root.Open(".")
	if err != nil {
		return 0, err
	}
	defer d.Close()
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(int(d.Fd()), &s); err != nil {
		return 0, err
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// checkModule reads the module of a token and holds it against its pin. It is
// not loaded: pki token inspect does that.
func (p *patient) checkModule(k *spec.KeyStore) {
	text, err := fs.ReadFile(p.host, strings.TrimPrefix(path.Clean(k.Token.Module), "/"))
	what := "module"
	switch {
	case err != nil:
		p.unfit(what, "install the vendor's library", "%s of %s: %s", k.Token.Module, k.Address, err)
	case len(text) < 4 || binary.BigEndian.Uint32(text) != 0x7f454c46: // ELF
		p.unfit(what, "install the vendor's library", "%s of %s is no library", k.Token.Module, k.Address)
	case k.Token.ModuleSHA256 != "" && sha256Hex(text) != k.Token.ModuleSHA256:
		p.unfit(what, "find out where this file comes from", "%s of %s has the SHA-256 %s, and the estate pins %s", k.Token.Module, k.Address, sha256Hex(text), k.Token.ModuleSHA256)
	case k.Token.ModuleSHA256 == "":
		p.fit(what, "%s can be read; SHA-256 %s, which the estate does not pin", k.Token.Module, sha256Hex(text))
	default:
		p.fit(what, "%s has the SHA-256 that the estate pins", k.Token.Module)
	}
}
