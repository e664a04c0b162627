package main

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"pki.internal/ceremony"
	"pki.internal/hsm"
	"pki.internal/spec"
)

// busyError means that another process signs the same CRL.
type busyError struct{ refusal *ceremony.Refusal }

func (e *busyError) Error() string { return e.refusal.Error() }
func (e *busyError) Unwrap() error { return e.refusal }

// mayRepeat tells what passes by itself, before anything was signed: another
// signer, and a token that is not there yet. A PIN that was refused, a
// signature that may exist, and a list that was refused are none of these.
func mayRepeat(err error) bool {
	var busy *busyError
	return errors.As(err, &busy) || errors.Is(err, hsm.ErrTokenGone) && !errors.Is(err, hsm.ErrMaybeSigned)
}

// The delay before another try doubles, and is drawn between half of it and
// all of it, so that machines that were started together drift apart.
const (
	firstDelay = time.Second
	lastDelay  = 30 * time.Second
)

// untilDone repeats what passes by itself for as long as --wait says.
func (a *app) untilDone(ctx context.Context, wait string, try func() error) error {
	var limit time.Duration
	if wait != "" {
		d, err := spec.ParseSpan(wait)
		if err != nil {
			return &usageError{fmt.Errorf("--wait: %w", err)}
		}
		limit = time.Duration(d)
	}
	for waited, delay := time.Duration(0), firstDelay; ; delay = min(2*delay, lastDelay) {
		err := try()
		if err == nil || waited >= limit || !mayRepeat(err) {
			return err
		}
		pause, drawErr := jitter(delay)
		if drawErr != nil {
			return errors.Join(err, drawErr)
		}
		pause = min(pause, limit-waited)
		fmt.Fprintf(a.stderr, "waiting %s: %s\n", pause.Round(time.Millisecond), err)
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		waited += pause
	}
}

func jitter(d time.Duration) (time.Duration, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	half := uint64(d / 2)
	return time.Duration(half + binary.BigEndian.Uint64(b[:])%(half+1)), nil
}
