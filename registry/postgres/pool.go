package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// idle is how long a connection may rest before it is asked whether it still
// lives, and patience how long the answer may take; age is how long one serves,
// so that settings that changed are met.
const (
	idle     = time.Second
	patience = 3 * time.Second
	age      = 30 * time.Minute
)

// pool keeps a bounded number of connections to one database.
type pool struct {
	config *pgx.ConnConfig
	slots  chan struct{} // one element for each connection in use

	mu     sync.Mutex
	rest   []resting // the one used last is taken first
	closed bool
	sums   bool // the server keeps checksums of its data
}

type resting struct {
	*pgx.Conn
	born, since time.Time
}

func newPool(config *pgx.ConnConfig, size int) *pool {
	return &pool{config: config, slots: make(chan struct{}, size)}
}

// take returns a connection that works; give must be called with it.
func (p *pool) take(ctx context.Context) (resting, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return resting{}, fmt.Errorf("waiting for a connection: %w", ctx.Err())
	}
	for {
		c, err := p.pop()
		if err != nil {
			<-p.slots
			return resting{}, err
		}
		if c.Conn == nil {
			return p.fresh(ctx)
		}
		now := time.Now()
		if now.Sub(c.born) >= age {
			shut(c.Conn)
			continue
		}
		if now.Sub(c.since) < idle || c.alive(ctx) {
			return c, nil
		}
		c.abandon()
		if err := ctx.Err(); err != nil {
			<-p.slots
			return resting{}, err
		}
		p.abandonAll() // they lead to the same server
	}
}

func (p *pool) pop() (resting, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return resting{}, errClosed
	}
	n := len(p.rest) - 1
	if n < 0 {
		return resting{}, nil
	}
	c := p.rest[n]
	p.rest = p.rest[:n]
	return c, nil
}

// fresh makes a connection. Who goes away meanwhile does not end that: it rests
// then. Else those with less patience than it takes to find one server silent
// would never get to the next.
func (p *pool) fresh(ctx context.Context) (resting, error) {
	type made struct {
		resting
		err error
	}
	hand := make(chan made)
	go func() {
		long, cancel := context.WithTimeout(context.WithoutCancel(ctx), longest)
		defer cancel()
		c, err := p.connect(long)
		select {
		case hand <- made{c, err}:
		case <-ctx.Done():
			if err != nil {
				<-p.slots
			} else {
				p.give(c)
			}
		}
	}()
	select {
	case m := <-hand:
		if m.err != nil {
			<-p.slots
		}
		return m.resting, m.err
	case <-ctx.Done():
		return resting{}, fmt.Errorf("reaching the database: %w", ctx.Err())
	}
}

func (p *pool) connect(ctx context.Context) (resting, error) {
	c, err := pgx.ConnectConfig(ctx, p.config)
	if err != nil {
		return resting{}, unreachable(err)
	}
	sums, err := inspect(ctx, c)
	if err != nil {
		shut(c)
		return resting{}, err
	}
	p.mu.Lock()
	p.sums = sums
	p.mu.Unlock()
	return resting{Conn: c, born: time.Now()}, nil
}

// unreachable says in one line why no server was found. Pgx writes one line for
// each attempt, two for a server that speaks no TLS: the last of each counts.
func unreachable(err error) error {
	var servers []string
	last := map[string]string{}
	head, attempts, _ := strings.Cut(err.Error(), "\n")
	for line := range strings.Lines(attempts) {
		server, why, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if last[server] == "" {
			servers = append(servers, server)
		}
		last[server] = why
	}
	if len(servers) == 0 {
		return fmt.Errorf("reaching the database: %s", head)
	}
	if len(servers) > 1 {
		head = "none of its servers takes changes now; if another is about to take over, repeat it in half a minute:"
	}
	for _, server := range servers {
		head += " " + server + ": " + last[server] + ";"
	}
	return fmt.Errorf("reaching the database: %s", strings.TrimSuffix(head, ";"))
}

// alive asks a connection that rested.
func (c resting) alive(ctx context.Context) bool {
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return c.Ping(short) == nil
}

// past is a deadline that makes whoever waits for a connection fail at once.
func past() time.Time { return time.Unix(1, 0) }

// abandon ends a connection without waiting for a server that may be gone.
func (c resting) abandon() {
	_ = c.PgConn().Conn().SetDeadline(past()) // it is not used any more
	shut(c.Conn)
}

func (p *pool) abandonAll() {
	p.mu.Lock()
	rest := p.rest
	p.rest = nil
	p.mu.Unlock()
	for _, c := range rest {
		c.abandon()
	}
}

// within ends a connection that is still in use after a while: its server may
// stand still, or its machine be gone without a word, and then nobody would ever
// say so. The function that it returns must be called at the end, with the error
// that there was; it returns the one to give. Zero is no limit.
func (c resting) within(limit time.Duration) func(error) error {
	if limit == 0 {
		return func(err error) error { return err }
	}
	timer := time.AfterFunc(limit, func() { _ = c.PgConn().Conn().SetDeadline(past()) })
	return func(err error) error {
		if timer.Stop() {
			return err
		}
		c.abandon()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return fmt.Errorf("the database did not answer within %v; whether something was stored is not known, so repeat it", limit)
		}
		return err
	}
}

// give takes a connection back. One in the midst of something is closed. If it
// has ended, those that rest may have too, and are asked before they are used.
func (p *pool) give(c resting) {
	c.since = time.Now()
	p.mu.Lock()
	keep := !p.closed && !c.IsClosed() && c.PgConn().TxStatus() == 'I'
	if keep {
		p.rest = append(p.rest, c)
	}
	for n := range p.rest {
		if c.IsClosed() {
			p.rest[n].since = time.Time{}
		}
	}
	p.mu.Unlock()
	if !keep {
		shut(c.Conn)
	}
	<-p.slots
}

// close ends what rests and waits for what is in use.
func (p *pool) close() {
	p.mu.Lock()
	was := p.closed
	p.closed = true
	rest := p.rest
	p.rest = nil
	p.mu.Unlock()
	for _, c := range rest {
		shut(c.Conn)
	}
	if was {
		return
	}
	for range cap(p.slots) {
		p.slots <- struct{}{} // never given back: take fails from now on
	}
	for range cap(p.slots) {
		<-p.slots
	}
}

func shut(c *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = c.Close(ctx) // what was not committed is undone either way
}
