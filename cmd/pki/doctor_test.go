package main

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pki.internal/spec"
)

// TestDoctor changes one thing at a time on a computer that is fit.
func TestDoctor(t *testing.T) {
	fit := map[string]string{
		"sys/class/net/another/flags": "0x1003", // of another namespace: up, and not in the table
		"proc/self/net/dev":           "    lo: 0\n  eth0: 0\n wlan0: 0\n",
		"sys/class/net/lo/flags":      "0x9", "sys/class/net/eth0/flags": "0x1002",
		"proc/swaps": "Filename Type Size Used Priority\n", "sys/power/state": "freeze mem disk\n", "sys/power/resume": "0:0\n",
		"proc/sys/kernel/core_pattern": "core\n", "proc/sys/kernel/yama/ptrace_scope": "1\n",
		"proc/sys/kernel/random/entropy_avail": "256\n", "usr/lib/m.so": "\x7fELF…",
	}
	now := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC)
	store := func(pin string) *spec.KeyStore {
		return &spec.KeyStore{Token: &spec.Token{Module: "/usr/lib/m.so", ModuleSHA256: pin}}
	}
	for name, c := range map[string]struct {
		file, text string
		now, built time.Time
		pin        string
		unfit      string // what
	}{
		"fit":            {},
		"pinned":         {pin: sha256Hex([]byte(fit["usr/lib/m.so"]))},
		"clock of 1970":  {now: time.Unix(0, 0), unfit: "clock"},
		"before it was":  {built: now.Add(time.Second), unfit: "clock"},
		"network up":     {file: "sys/class/net/eth0/flags", text: "0x1003", unfit: "network"},
		"wifi up":        {file: "sys/class/net/wlan0/flags", text: "0x1043", unfit: "network"},
		"unknown flags":  {file: "sys/class/net/eth0/flags", text: "?", unfit: "network"},
		"swap":           {file: "proc/swaps", text: "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n", unfit: "swap"},
		"hibernation":    {file: "sys/power/resume", text: "8:2", unfit: "hibernation"},
		"core collector": {file: "proc/sys/kernel/core_pattern", text: "|/usr/share/apport/apport %p", unfit: "core dumps"},
		"ptrace":         {file: "proc/sys/kernel/yama/ptrace_scope", text: "0", unfit: "tracing"},
		"no randomness":  {file: "proc/sys/kernel/random/entropy_avail", text: "12", unfit: "randomness"},
		"printer":        {file: "dev/usb/lp0", unfit: "printers"},
		"other module":   {pin: strings.Repeat("0", 64), unfit: "module"},
		"no library":     {file: "usr/lib/m.so", text: "#!/bin/sh", unfit: "module"},
	} {
		host := fstest.MapFS{}
		for file, text := range fit {
			host[file] = &fstest.MapFile{Data: []byte(text)}
		}
		if c.file != "" {
			host[c.file] = &fstest.MapFile{Data: []byte(c.text)}
		}
		if c.now.IsZero() {
			c.now = now
		}
		p := &patient{host: host, now: c.now}
		p.checkBuild(c.built)
		p.checkNetwork()
		p.checkMemory()
		p.checkTracing()
		p.checkRandomness()
		p.checkPrinters()
		p.checkModule(store(c.pin))
		var unfit []string
		for _, s := range p.symptoms {
			if !s.Fit {
				unfit = append(unfit, s.What)
			}
			if s.Fit != (s.Next == "") {
				t.Errorf("%s: %+v", name, s)
			}
		}
		if strings.Join(unfit, " ") != c.unfit || len(p.symptoms) != 9 {
			t.Errorf("%s: unfit are %q of %d, want %q", name, unfit, len(p.symptoms), c.unfit)
		}
	}
}
