package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/term"

	"pki.internal/spec"
)

// terminal opens the terminal itself, so that pipes stay clean.
func terminal(wanted, next string) (*os.File, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, &personError{wanted: wanted + ", and there is no terminal to ask on", next: next}
	}
	return tty, nil
}

// readLine reads a line and gives up when the command is interrupted.
func readLine(ctx context.Context, tty *os.File) (string, error) {
	type answer struct {
		line string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(tty).ReadString('\n')
		got <- answer{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-got:
		return a.line, a.err
	}
}

// minimum lengths of a password that someone chooses. Machine-made secrets
// are the rule; these keep the worst out.
const (
	minProduction = 16
	minElsewhere  = 8
)

// askSecrets gets secrets from files of the estate or from the terminal.
type askSecrets struct {
	root        *os.Root
	environment spec.Environment
	estate      *spec.Estate // tells a PIN, whose length is the token's to judge, from a password
}

// Secret gives a secret's value; new ones are asked for twice.
func (q askSecrets) Secret(ctx context.Context, s *spec.Secret, new bool) ([]byte, error) {
	if s.File != "" {
		return q.fromFile(s)
	}
	secret, err := q.ask(ctx, s, "Password for "+s.Address.String())
	if err != nil || !new {
		return secret, err
	}
	minimum := q.minimum(s)
	if minimum == minElsewhere && q.environment == spec.Production {
		minimum = minProduction
	}
	if len(secret) < minimum {
		clear(secret)
		return nil, fmt.Errorf("the password for %s has fewer than %d characters; choose a longer one", s.Address, minimum)
	}
	again, err := q.ask(ctx, s, "The same again")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(secret, again) {
		clear(secret)
		return nil, fmt.Errorf("the two passwords for %s differ, and nothing was done; run the command again", s.Address)
	}
	return secret, nil
}

// minimum gives the least length of a secret. A token knows how long its PINs
// are, and is asked before a PIN is tried or given to it.
func (q askSecrets) minimum(s *spec.Secret) int {
	if q.estate != nil && q.estate.IsPIN(s) {
		return 1
	}
	return minElsewhere
}

func (q askSecrets) fromFile(s *spec.Secret) ([]byte, error) {
	text, err := q.root.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &personError{
			wanted: fmt.Sprintf("the file %s of %s is not there", s.File, s.Address),
			next:   "write the password into it, mode 0600, or write prompt = true",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Address, err)
	}
	secret := bytes.TrimRight(text, "\r\n")
	if least := q.minimum(s); len(secret) < least {
		clear(text)
		return nil, fmt.Errorf("the file %s of %s holds fewer than %s; write a longer password into it", s.File, s.Address, count(least, "character"))
	}
	return secret, nil
}

func (q askSecrets) ask(ctx context.Context, s *spec.Secret, prompt string) ([]byte, error) {
	tty, err := terminal("the password for "+s.Address.String()+" is needed", "run the command on a terminal, or give the secret a file outside production")
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	return hidden(ctx, tty, prompt)
}

// hidden reads a line that the terminal does not show.
func hidden(ctx context.Context, tty *os.File, prompt string) ([]byte, error) {
	state, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(tty, "%s: ", prompt)
	type answer struct {
		secret []byte
		err    error
	}
	got := make(chan answer, 1)
	go func() {
		secret, err := term.ReadPassword(int(tty.Fd()))
		got <- answer{secret, err}
	}()
	select {
	case <-ctx.Done():
		// The reader still waits with echo off; give the terminal back.
		return nil, errors.Join(ctx.Err(), term.Restore(int(tty.Fd()), state))
	case a := <-got:
		fmt.Fprintln(tty)
		return a.secret, a.err
	}
}
