package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"

	"attesta/accreditation"
	"attesta/credentials"
	"attesta/issuer"
	"attesta/keys"
	"attesta/registry"
)

// A running server has a registry in a file to itself, and knows its keys best.
// Beside it, commands work through the server: it listens on a loopback address of its own and writes
// address and secret into the folder, where only the operator can read them.
// channel.go says how the two know each other.

// besideFile tells commands how to reach the server of a data folder.
type besideFile struct {
	Address string `json:"address"`
	Secret  string `json:"secret"`
	PID     int    `json:"pid"`
}

const besideBytes = 64 << 20

// reach opens the installation for a command: the folder itself, or the server
// that has it open. It never waits for a lock longer than a few seconds.
func reach(ctx context.Context, c *console, f folder) (operator, error) {
	return reachAt(ctx, c, f, "")
}

func reachAt(ctx context.Context, c *console, f folder, address string) (operator, error) {
	for tries := 0; ; tries++ {
		if remote, ok := dial(ctx, f); ok {
			return remote, nil
		}
		a, err := open(ctx, c, f, address)
		if err == nil {
			a.resume(ctx)
			a.issuer.Alone = !a.store.shared
			return local{a}, nil
		}
		if !errors.Is(err, registry.ErrInUse) {
			return nil, err
		}
		if tries == 10 {
			return nil, &hinted{
				fmt.Errorf("another attesta has %s open and does not answer", string(f)),
				"wait until it has ended, or stop it; a server that runs answers at once",
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// remote is an operator that speaks to the server of the data folder.
type remote struct {
	besideFile
	client *http.Client
}

func dial(ctx context.Context, f folder) (*remote, bool) {
	raw, err := readPrivate(f.beside())
	if err != nil {
		return nil, false
	}
	r := &remote{}
	if json.Unmarshal(raw, &r.besideFile) != nil {
		return nil, false
	}
	if at, err := netip.ParseAddrPort(r.Address); err != nil || !at.Addr().IsLoopback() {
		return nil, false
	}
	r.client = &http.Client{Transport: &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialProven(ctx, r.Address, r.Secret)
		},
	}}
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	var pid int
	return r, r.call(short, "ping", nil, &pid) == nil
}

func (r *remote) call(ctx context.Context, name string, request, answer any) error {
	response, err := r.post(ctx, name, request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return readReply(response, answer)
}

func (r *remote) post(ctx context.Context, name string, request any) (*http.Response, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.Address+"/"+name, bytes.NewReader(body)) //nolint:gosec // the address stands in the operator's own folder
	if err != nil {
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	response, err := r.client.Do(post) //nolint:gosec // as above
	if err != nil {
		return nil, askingServer(err)
	}
	return response, nil
}

func readReply(response *http.Response, answer any) error {
	const most = besideBytes * 4
	raw, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	var reply besideReply
	switch {
	case err != nil:
		return askingServer(err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("asking the server: it answered %d", response.StatusCode)
	case len(raw) > most:
		return &hinted{fmt.Errorf("asking the server: its answer is larger than %d MB; what it did is done", most>>20), "give it a shorter list"}
	}
	if err := json.Unmarshal(raw, &reply); err != nil {
		return fmt.Errorf("asking the server: its answer cannot be read: %w", err)
	}
	if len(reply.Answer) > 0 && answer != nil {
		if err := json.Unmarshal(reply.Answer, answer); err != nil {
			return fmt.Errorf("asking the server: %w", err)
		}
	}
	switch {
	case reply.Error == "":
		return nil
	case len(reply.Words) > 0:
		return &spoken{&besideError{reply.Error, reply.Kind}, reply.Words}
	}
	return &besideError{reply.Error, reply.Kind}
}

// errServerEnded is wrapped when a server went away before it had answered.
var errServerEnded = errors.New("the server ended before it answered")

func askingServer(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) {
		return &hinted{fmt.Errorf("asking the server: %w", errServerEnded), "what it stored until then is kept; look what was done before you repeat the command"}
	}
	return fmt.Errorf("asking the server: %w", err)
}

// besideReply carries an answer, an error, or both: what was done before the
// error counts.
type besideReply struct {
	Answer json.RawMessage  `json:"answer,omitempty"`
	Error  string           `json:"error,omitempty"`
	Words  credentials.Text `json:"words,omitempty"`
	Kind   string           `json:"kind,omitempty"` // see kindOf
}

// besideError is an error of the server, of the same kind as it was there.
type besideError struct{ text, kind string }

func (e *besideError) Error() string { return e.text }

func (e *besideError) Is(target error) bool {
	return e.kind != "" && target != nil && e.kind == target.Error()
}

// kindOf names the kind of an error that a command matches.
func kindOf(err error) string {
	for _, kind := range []error{registry.ErrNotFound, registry.ErrConflict, registry.ErrInvalid, keys.ErrNoKey, keys.ErrRecipient, keys.ErrTooLong, accreditation.ErrUnknown, accreditation.ErrNone, accreditation.ErrList, issuer.ErrNoAuthority, errForked} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return ""
}

func (r *remote) Import(ctx context.Context, q importRequest) (a importAnswer, err error) {
	return a, r.call(ctx, "import", q, &a)
}

func (r *remote) Lint(ctx context.Context, module string) (a []credentials.Finding, err error) {
	return a, r.call(ctx, "lint", module, &a)
}

func (r *remote) Issue(ctx context.Context, q issueRequest) (a issueAnswer, err error) {
	return a, r.call(ctx, "issue", q, &a)
}

func (r *remote) HandOut(ctx context.Context, ids []string) (a []handedOut, err error) {
	return a, r.call(ctx, "hand-out", ids, &a)
}

func (r *remote) Seals(ctx context.Context) (a sealsAnswer, err error) {
	return a, r.call(ctx, "seals", nil, &a)
}

func (r *remote) Extend(ctx context.Context, q extendRequest) (a extendAnswer, err error) {
	return a, r.call(ctx, "extend", q, &a)
}

func (r *remote) SetTimeAuthority(ctx context.Context, address string) error {
	return r.call(ctx, "time-authority", address, nil)
}

func (r *remote) Keys(ctx context.Context) (a []keyAnswer, err error) {
	return a, r.call(ctx, "keys", nil, &a)
}

func (r *remote) ChangeKeys(ctx context.Context, q keyRequest) (a keyChange, err error) {
	return a, r.call(ctx, "keys/change", q, &a)
}

func (r *remote) Log(ctx context.Context, q logRequest) (a logAnswer, err error) {
	return a, r.call(ctx, "log", q, &a)
}

func (r *remote) Doctor(ctx context.Context) (a []diagnosis, err error) {
	return a, r.call(ctx, "doctor", nil, &a)
}

func (r *remote) SignIn(ctx context.Context, name string) (a string, err error) {
	return a, r.call(ctx, "sign-in", name, &a)
}

func (r *remote) Close() error { return nil }

// besideServer answers commands for a running server, over connections whose
// callers have proved themselves.
type besideServer struct{ operator }

// serveBeside starts to answer commands and returns how to stop.
func serveBeside(ctx context.Context, f folder, o operator) (stop func(), err error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for commands: %w", err)
	}
	secret := rand.Text() + rand.Text()
	raw, err := json.Marshal(besideFile{ //nolint:gosec // the file is for the operator alone
		listener.Addr().String(), secret, os.Getpid(),
	})
	if err == nil {
		err = keys.WriteFile(f.beside(), raw)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("saying where commands are answered: %w", err), listener.Close())
	}
	server := &http.Server{Handler: &besideServer{o}, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 16 << 10}
	go server.Serve(listenProven(listener, secret)) //nolint:errcheck // ends with ErrServerClosed when stopped
	return func() {
		_ = server.Close()
		if now, err := os.ReadFile(f.beside()); err == nil && bytes.Equal(now, raw) { // else it is another server's
			_ = os.Remove(f.beside())
		}
	}, nil
}

func (b *besideServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "commands are posted", http.StatusMethodNotAllowed)
		return
	}
	switch r.URL.Path { // streams
	case "/backup":
		b.backup(w, r)
		return
	case "/export":
		b.export(w, r)
		return
	}
	answer, err := b.answer(r)
	writeReply(w, answer, err)
}

func writeReply(w http.ResponseWriter, answer any, err error) {
	var reply besideReply
	if err != nil {
		reply.Error, reply.Kind = err.Error(), kindOf(err)
		if said, ok := errors.AsType[*spoken](err); ok {
			reply.Words = said.words
		}
	}
	if raw, err := json.Marshal(answer); err == nil {
		reply.Answer = raw
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(reply); err != nil {
		return // the command went away
	}
}

func (b *besideServer) answer(r *http.Request) (any, error) {
	decode := func(into any) error {
		return json.NewDecoder(http.MaxBytesReader(nil, r.Body, besideBytes)).Decode(into)
	}
	switch r.URL.Path {
	case "/ping":
		return os.Getpid(), nil
	case "/import":
		var q importRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Import(r.Context(), q)
	case "/lint":
		var q string
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Lint(r.Context(), q)
	case "/issue":
		var q issueRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Issue(r.Context(), q)
	case "/hand-out":
		var q []string
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.HandOut(r.Context(), q)
	case "/status":
		var q statusRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.SetStatus(r.Context(), q, nil)
	case "/proposals":
		var q proposalRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Proposals(r.Context(), q, nil)
	case "/find":
		var q findRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Find(r.Context(), q)
	case "/erase":
		var q eraseRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Erase(r.Context(), q)
	case "/seals":
		return b.Seals(r.Context())
	case "/extend":
		var q extendRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Extend(r.Context(), q)
	case "/time-authority":
		var q string
		if err := decode(&q); err != nil {
			return nil, err
		}
		return nil, b.SetTimeAuthority(r.Context(), q)
	case "/keys":
		return b.Keys(r.Context())
	case "/keys/change":
		var q keyRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.ChangeKeys(r.Context(), q)
	case "/accredit":
		var q accreditRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Accredit(r.Context(), q)
	case "/log":
		var q logRequest
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.Log(r.Context(), q)
	case "/doctor":
		return b.Doctor(r.Context())
	case "/sign-in":
		var q string
		if err := decode(&q); err != nil {
			return nil, err
		}
		return b.SignIn(r.Context(), q)
	}
	return nil, fmt.Errorf("the server does not know the command %q: it is of another version", r.URL.Path)
}
