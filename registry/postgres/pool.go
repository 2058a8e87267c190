package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// idle is how long a connection may rest before it is asked whether it still
// lives; age is how long one serves, so that settings that changed are met.
const (
	idle = time.Second
	age  = 30 * time.Minute
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
		if err != nil || c.Conn == nil {
			if err == nil {
				c, err = p.connect(ctx)
			}
			if err != nil {
				<-p.slots
			}
			return c, err
		}
		now := time.Now()
		if now.Sub(c.born) < age && (now.Sub(c.since) < idle || c.Ping(ctx) == nil) {
			return c, nil
		}
		shut(c.Conn)
		if err := ctx.Err(); err != nil {
			<-p.slots
			return resting{}, err
		}
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

func (p *pool) connect(ctx context.Context) (resting, error) {
	c, err := pgx.ConnectConfig(ctx, p.config)
	if ctx.Err() != nil {
		return resting{}, fmt.Errorf("reaching the database: %w", ctx.Err())
	}
	if err != nil { // pgx says it in several lines, one for each address it tried
		return resting{}, fmt.Errorf("reaching the database: %s", strings.Join(strings.Fields(err.Error()), " "))
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

// give takes a connection back. One in the midst of something is closed.
func (p *pool) give(c resting) {
	c.since = time.Now()
	p.mu.Lock()
	keep := !p.closed && !c.IsClosed() && c.PgConn().TxStatus() == 'I'
	if keep {
		p.rest = append(p.rest, c)
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
