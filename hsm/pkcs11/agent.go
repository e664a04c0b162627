package pkcs11

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// AgentWord is the first argument of the helper process. It is not for people.
const AgentWord = "hsm-agent"

// noPKCS11 is what a build without cgo says when it is asked for a token.
const noPKCS11 = "this build of pki has no PKCS#11, because it was made without cgo"

// RunAgent is the helper process: it loads one module and does what its
// parent asks through two pipes, until the parent closes them. It gives the
// exit code.
func RunAgent() int {
	requests, replies := os.NewFile(3, "requests"), os.NewFile(4, "replies")
	if info, err := requests.Stat(); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		os.Stderr.WriteString("pki " + AgentWord + " is the helper of other commands and does nothing by itself\n")
		return 64
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP) // the parent decides when to stop
	seclude()
	room, err := lockedPage()
	if err != nil {
		return 1
	}
	kept, err := lockedPage()
	if err != nil {
		return 1
	}
	a := &agent{work: make(chan request), free: make(chan struct{}), replies: replies, room: room, kept: kept}
	go a.listen(requests)
	runtime.LockOSThread() // some modules keep state by thread
	a.serve()
	return 0
}

type agent struct {
	work    chan request
	free    chan struct{} // the page with the secret may be filled again
	replies io.Writer
	room    []byte
	kept    []byte // where the module keeps a PIN that it is asked for again and again
	secret  []byte
}

// listen reads requests. When the parent is gone the process ends at once,
// also in the middle of a call: a key that is made after its ceremony ended
// would be nobody's.
func (a *agent) listen(from io.Reader) {
	for {
		var q request
		secret, err := readFrame(from, &q, a.room)
		if err != nil {
			clear(a.room)
			clear(a.kept)
			os.Exit(0)
		}
		a.secret = secret
		a.work <- q
		<-a.free
	}
}

func (a *agent) serve() {
	m := newModule(a.kept)
	for q := range a.work {
		r, err := m.perform(&q, a.secret)
		clear(a.room)
		if err != nil {
			r = &reply{Fault: &fault{Text: err.Error()}}
			var f fault
			if errors.As(err, &f) {
				r.Fault = &f
			}
		}
		a.free <- struct{}{}
		if err := writeFrame(a.replies, r, nil); err != nil {
			return
		}
	}
}
