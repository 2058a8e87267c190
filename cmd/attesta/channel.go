package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A command and the server of its data folder prove to each other that both
// have read the folder's secret before either says anything more. The secret
// itself never travels: a stranger who took over the server's port learns
// nothing and can answer nothing.
//
// The one who calls sends a nonce; the server answers with its proof over it
// and a nonce of its own; the caller proves itself over that. A proof is
// HMAC-SHA-256 under the secret over a word for the side and both nonces.

const (
	nonceBytes = 32
	proofTime  = 2 * time.Second
)

func proof(secret, side string, nonces ...[]byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("attesta commands, " + side))
	for _, n := range nonces {
		h.Write(n)
	}
	return h.Sum(nil)
}

var errNotOurs = errors.New("the other side does not know the secret of the data folder")

// dialProven connects to the server of a data folder.
func dialProven(ctx context.Context, address, secret string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: proofTime}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := proveAsCaller(conn, secret); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func proveAsCaller(conn net.Conn, secret string) error {
	mine := make([]byte, nonceBytes)
	if _, err := rand.Read(mine); err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(proofTime)); err != nil {
		return err
	}
	if _, err := conn.Write(mine); err != nil {
		return err
	}
	answer := make([]byte, sha256.Size+nonceBytes)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return fmt.Errorf("%w: %w", errNotOurs, err)
	}
	theirs := answer[sha256.Size:]
	if !hmac.Equal(answer[:sha256.Size], proof(secret, "server", mine, theirs)) {
		return errNotOurs
	}
	if _, err := conn.Write(proof(secret, "caller", mine, theirs)); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func proveAsServer(conn net.Conn, secret string) error {
	if err := conn.SetDeadline(time.Now().Add(proofTime)); err != nil {
		return err
	}
	theirs, mine := make([]byte, nonceBytes), make([]byte, nonceBytes)
	if _, err := rand.Read(mine); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return err
	}
	if _, err := conn.Write(append(proof(secret, "server", theirs, mine), mine...)); err != nil {
		return err
	}
	answer := make([]byte, sha256.Size)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if !hmac.Equal(answer, proof(secret, "caller", theirs, mine)) {
		return errNotOurs
	}
	return conn.SetDeadline(time.Time{})
}

// provenListener hands out only connections whose callers proved themselves.
// Others are closed without a word; none can hold up another.
type provenListener struct {
	net.Listener
	secret string
	proven chan net.Conn
	ended  chan struct{}
	err    error
}

func listenProven(inner net.Listener, secret string) *provenListener {
	l := &provenListener{Listener: inner, secret: secret, proven: make(chan net.Conn), ended: make(chan struct{})}
	go l.accept()
	return l
}

func (l *provenListener) accept() {
	defer close(l.ended)
	for {
		conn, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			l.err = err
			return
		}
		if err != nil { // such as too many open files: it passes
			time.Sleep(proofTime / 20)
			continue
		}
		go func() {
			if proveAsServer(conn, l.secret) != nil {
				_ = conn.Close()
				return
			}
			select {
			case l.proven <- conn:
			case <-l.ended:
				_ = conn.Close()
			}
		}()
	}
}

// Accept implements net.Listener.
func (l *provenListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.proven:
		return conn, nil
	case <-l.ended:
		return nil, l.err
	}
}
