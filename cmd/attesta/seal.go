package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"attesta/issuer"
	"attesta/registry"
	"attesta/timestamp"
	"attesta/verifier"
)

var sealCommand = command{
	name: "seal", short: "prove by when seals were there",
	help: `usage: attesta seal list [--json]
       attesta seal authority URL|none
       attesta seal upgrade [--level T|LT|LTA] [--renew]

A seal by itself says when it was made, and nobody else does. A time stamp of an
authority proves it, also to those who no longer believe the key or whose
certificate has ended.

list says which authority is asked, and how many seals are of which level.

authority sets who is asked for time stamps (RFC 3161). A running server then
adds one to every new seal within a minute or so; issuing never waits for it.
Whoever checks must trust the authority too:
  attesta trust add FILE.pem --name NAME --for time

upgrade extends the seals that there are, and can be repeated at any time:
  T     a time stamp over the signature
  LT    also the certificates and lists of revoked certificates to check it with
  LTA   also a time stamp over all of that, for checks many years from now
What was signed stays as it is, and files handed out before stay good.

  --level LEVEL   T, LT or LTA (T)
  --renew         add one more archive time stamp to seals of level LTA
  --json          print the list as JSON
  --data DIR      folder of the installation (attesta-data, or $ATTESTA_DATA)
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("seal")
		data, level, renew := dataFlag(f, c), f.String("level", "T", ""), f.Bool("renew", false, "")
		asJSON := f.Bool("json", false, "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		to, known := sealLevels()[*level]
		switch {
		case len(rest) == 1 && rest[0] == "list", len(rest) == 2 && rest[0] == "authority":
		case len(rest) != 1 || rest[0] != "upgrade":
			return exitUsage, misuse("for example: attesta seal upgrade --level T", "say what to do: list, authority URL, or upgrade")
		case !known:
			return exitUsage, misuse("one of T, LT, LTA", "--level %q is no level that a seal can be extended to", *level)
		case *renew && to != registry.LevelLTA:
			return exitUsage, misuse("for example: attesta seal upgrade --level LTA --renew", "--renew goes with --level LTA")
		}
		o, err := reach(ctx, c, folder(*data))
		if err != nil {
			return exitNo, err
		}
		defer o.Close()
		switch rest[0] {
		case "list":
			seals, err := o.Seals(ctx)
			if err != nil || *asJSON {
				return worked(err), errors.Join(err, printJSON(c, seals))
			}
			printSeals(c, seals)
			return exitDone, nil
		case "authority":
			if err := o.SetTimeAuthority(ctx, rest[1]); err != nil {
				return exitNo, err
			}
			c.printf("time-stamping authority: %s\n", plain(rest[1]))
			return exitDone, nil
		}
		answer, err := o.Extend(ctx, extendRequest{Level: to, Renew: *renew})
		if errors.Is(err, errServerEnded) {
			return exitNo, &hinted{err, "the seals that it extended until then are stored: repeat the command, and it goes on with the others"}
		}
		c.printf("%s extended to level %s\n", count(answer.Extended, "seal"), to)
		if errors.Is(err, issuer.ErrNoAuthority) {
			err = &hinted{err, "set one: attesta seal authority URL"}
		}
		return worked(err), err
	},
}

func sealLevels() map[string]registry.Level {
	return map[string]registry.Level{"T": registry.LevelT, "LT": registry.LevelLT, "LTA": registry.LevelLTA}
}

type extendRequest struct {
	Level registry.Level `json:"level"`
	Renew bool           `json:"renew,omitempty"`
}

type extendAnswer struct {
	Extended int `json:"extended"`
}

// sealsAnswer says who is asked for time stamps, and how many seals are of which
// level.
type sealsAnswer struct {
	Authority string         `json:"time_authority,omitempty"`
	Levels    map[string]int `json:"levels"`
}

func printSeals(c *console, s sealsAnswer) {
	c.printf("time-stamping authority: %s\n", plain(cmp.Or(s.Authority, "none")))
	for level := registry.LevelB; level <= registry.LevelLTA; level++ {
		if n := s.Levels[level.String()]; n > 0 {
			c.printf("level %-3s  %s\n", level, count(n, "seal"))
		}
	}
}

func (l local) Seals(ctx context.Context) (sealsAnswer, error) {
	answer := sealsAnswer{Levels: map[string]int{}}
	if authority := l.stamps.current.Load(); authority != nil {
		answer.Authority = authority.URL
	}
	for level := registry.LevelB; level <= registry.LevelLTA; level++ {
		for after := uint64(0); ; {
			page, err := l.registry.AtLevel(ctx, level, after, 500)
			if err != nil {
				return answer, err
			}
			if len(page) == 0 {
				break
			}
			answer.Levels[level.String()] += len(page)
			after = page[len(page)-1].Seq
		}
	}
	return answer, nil
}

func (l local) Extend(ctx context.Context, r extendRequest) (extendAnswer, error) {
	if l.stamps.current.Load() == nil {
		return extendAnswer{}, issuer.ErrNoAuthority
	}
	var n int
	err := l.inTurn(ctx, stampWork, func(ctx context.Context) (err error) {
		n, err = l.issuer.Extend(ctx, r.Level, r.Renew)
		return err
	})
	return extendAnswer{n}, err
}

func (l local) SetTimeAuthority(_ context.Context, address string) error {
	if address == "none" {
		address = ""
	} else if u, err := url.Parse(address); err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return &hinted{fmt.Errorf("the address %q is not a plain web address", address), "write it like https://tsa.example.org/tsr, or none"}
	}
	l.stamps.changing.Lock()
	defer l.stamps.changing.Unlock()
	changed, err := l.folder.readSettings() // another server of this folder may have changed them
	if err != nil {
		return err
	}
	changed.TimeAuthority = address
	if err := l.folder.writeSettings(changed); err != nil {
		return err
	}
	l.settings.TimeAuthority = address
	l.stamps.set(address)
	return nil
}

// timeAuthority is the time-stamping authority in use, which an operator may
// change while a server runs.
type timeAuthority struct {
	changing sync.Mutex // the settings, with the authority
	current  atomic.Pointer[timestamp.Authority]
}

func (a *timeAuthority) set(address string) {
	if address == "" {
		a.current.Store(nil)
		return
	}
	a.current.Store(&timestamp.Authority{URL: address, Client: verifier.NewClient(20 * time.Second)})
}

// Stamp implements issuer.TimeAuthority.
func (a *timeAuthority) Stamp(ctx context.Context, data []byte) ([]byte, error) {
	authority := a.current.Load()
	if authority == nil {
		return nil, issuer.ErrNoAuthority
	}
	return authority.Stamp(ctx, data)
}

// maxRevocations bounds a list of revoked certificates: it goes into every seal.
const maxRevocations = 1 << 20

// revocations gets the list of revoked certificates that speaks of one: this
// installation's own for those of its own root, else the list that the
// certificate names.
func (a *app) revocations(ctx context.Context, c *x509.Certificate) ([]byte, error) {
	if own, ok := a.ownAnchor(); ok && c.CheckSignatureFrom(own.Certificate) == nil {
		return a.ring.CRL(a.now())
	}
	if len(c.CRLDistributionPoints) == 0 {
		return nil, errors.New("it does not say where the list of revoked certificates lies")
	}
	var origins []string
	for _, anchor := range a.verifier.Trust().Anchors {
		origins = append(origins, anchor.Origins...)
	}
	var failed []error
	for _, address := range c.CRLDistributionPoints {
		if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			continue // a directory: the same list lies elsewhere too
		}
		raw, err := a.crls.Fetch(ctx, address, origins)
		if err == nil {
			_, err = x509.ParseRevocationList(raw)
		}
		if err == nil {
			return raw, nil
		}
		failed = append(failed, fmt.Errorf("from %s: %w", address, err))
	}
	if len(failed) == 0 {
		return nil, errors.New("it names only addresses that are not http or https")
	}
	return nil, errors.Join(failed...)
}
