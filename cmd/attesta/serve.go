package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"attesta/registry"
)

var serveCommand = command{
	name: "serve", short: "serve the pages of an installation",
	help: `usage: attesta serve [--data DIR] [--listen ADDR] [--public-url URL] [--store URL]
                     [--behind NETWORK]...

Serves the pages for holders, employers and the provider, and the status lists.
With --public-url, a folder that holds nothing yet becomes an installation.

  --data DIR         folder of the installation (attesta-data, or $ATTESTA_DATA)
  --listen ADDR      address and port to listen on (127.0.0.1:8080, or $ATTESTA_LISTEN)
  --public-url URL   address under which the world reaches it, for example
                     https://attestati.example.org. It is written into every
                     credential, so it can change only until the first is issued.
  --store URL        where a new installation keeps its registry: a PostgreSQL
                     database, postgres://user@host/database, instead of a file
                     in the folder (or $ATTESTA_STORE). The folder remembers it;
                     for one that has such a registry, its new address
  --behind NETWORK   where a proxy in front of it is, such as 127.0.0.1 or
                     10.1.0.0/16; can be repeated (or $ATTESTA_BEHIND, with
                     commas). Only from there X-Forwarded-For is believed

For the outside world put a proxy that speaks TLS in front of it, and name it
with --behind: else all visitors are one to the limits on requests.
`,
	run: func(ctx context.Context, c *console, args []string) (int, error) {
		f := flags("serve")
		data, listen := dataFlag(f, c), f.String("listen", c.getenv("ATTESTA_LISTEN"), "")
		public, store, behind := f.String("public-url", "", ""), storeFlag(f), many{}
		f.Var(&behind, "behind", "")
		rest, err := parse(f, args)
		if err != nil {
			return exitUsage, err
		}
		if len(rest) > 0 {
			return exitUsage, misuse("", "%q is one word too many", rest[0])
		}
		if *listen == "" {
			*listen = defaultAddress
		}
		if len(behind) == 0 {
			behind = strings.FieldsFunc(c.getenv("ATTESTA_BEHIND"), func(r rune) bool { return r == ',' || r == ' ' })
		}
		networks, err := networksOf(behind)
		if err != nil {
			return exitUsage, err
		}
		err = serve(ctx, c, folder(*data), *listen, settings{PublicURL: *public, Store: *store, Behind: networks}, nil)
		return worked(err), err
	},
}

// networksOf reads networks and single addresses.
func networksOf(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if one, alone := netip.ParseAddr(text); alone == nil {
			network, err = netip.PrefixFrom(one.Unmap(), one.Unmap().BitLen()), nil
		}
		if err != nil || network.Bits() == 0 {
			return nil, misuse("the address of the proxy or its network, such as 127.0.0.1 or 10.1.0.0/16", "--behind %q is no network of proxies", text)
		}
		all = append(all, network.Masked())
	}
	return all, nil
}

// serve opens or begins an installation and serves it until the context ends.
// Greet prints what the person who started it wants to know.
func serve(ctx context.Context, c *console, f folder, listen string, s settings, greet func(local) error) error {
	there, err := f.exists()
	if err != nil {
		return fmt.Errorf("looking for the data: %w", err)
	}
	if !there && s.PublicURL == "" {
		return &hinted{f.errNoData(), "to begin an installation in it: attesta serve --data " + string(f) + " --public-url https://..."}
	}
	listener, err := listenOn(ctx, listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	a, err := openOrBegin(ctx, c, f, s, listener.Addr())
	if err != nil {
		return err
	}
	defer a.Close()
	a.behind = s.Behind
	if err := a.changePublicURL(ctx, s.PublicURL); err != nil {
		return err
	}
	a.resume(ctx)
	if greet == nil {
		greet = func(l local) error { return serveGreeting(ctx, c, l, listener) }
	}
	return a.serveOn(ctx, listener, greet)
}

func listenOn(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &hinted{fmt.Errorf("listening on %s: another program is there", address), "choose another port: --listen 127.0.0.1:8081"}
	}
	if err != nil {
		return nil, &hinted{fmt.Errorf("listening on %q: %w", address, err), "write the address like 127.0.0.1:8080"}
	}
	return listener, nil
}

// openOrBegin opens the folder, or begins an installation in it with the
// settings given; without a public address that is where it listens.
func openOrBegin(ctx context.Context, c *console, f folder, s settings, at net.Addr) (*app, error) {
	there, err := f.exists()
	if err != nil {
		return nil, fmt.Errorf("looking for the data: %w", err)
	}
	if there {
		a, err := open(ctx, c, f, s.Store)
		if errors.Is(err, registry.ErrInUse) {
			return nil, &hinted{fmt.Errorf("another attesta has %s open", string(f)), "stop it first; two servers cannot share one data folder"}
		}
		return a, err
	}
	if s.PublicURL == "" {
		if where, err := netip.ParseAddrPort(at.String()); err != nil || where.Addr().IsUnspecified() {
			return nil, misuse("listen on one address, for example 127.0.0.1:8080", "%s is no address that a credential can name", at)
		}
		s.PublicURL = "http://" + at.String()
	}
	if s.PublicURL, err = publicURL(s.PublicURL); err != nil {
		return nil, err
	}
	if s.Store == "" {
		s.Store = c.getenv("ATTESTA_STORE")
	}
	return begin(ctx, c, f, s)
}

// changePublicURL takes a new public address as long as no credential points
// to the old one.
func (a *app) changePublicURL(ctx context.Context, address string) error {
	if address == "" {
		return nil
	}
	address, err := publicURL(address)
	if err != nil || address == a.settings.PublicURL {
		return err
	}
	counts, err := a.registry.Counts(ctx, "")
	if err != nil {
		return fmt.Errorf("counting credentials: %w", err)
	}
	if counts.Sealed+counts.Reserved > 0 {
		return &hinted{
			fmt.Errorf("changing the public address: %d credentials point to %s for their status", counts.Sealed+counts.Reserved, a.settings.PublicURL),
			"keep that address, or begin a new data folder",
		}
	}
	a.settings.PublicURL, a.issuer.PublicURL = address, address
	if err := a.folder.writeSettings(a.settings); err != nil {
		return err
	}
	return a.publishAnchor()
}

// serveOn serves until the context ends, then lets running requests finish.
func (a *app) serveOn(ctx context.Context, listener net.Listener, greet func(local) error) error {
	site, err := a.site()
	if err != nil {
		return err
	}
	stopBeside, err := serveBeside(ctx, a.folder, local{a})
	if err != nil {
		return err
	}
	defer stopBeside()
	stamping, stopStamping := context.WithCancel(ctx)
	var stamped sync.WaitGroup
	stamped.Go(func() { a.stampLater(stamping) })
	stamped.Go(func() { a.resumeLater(stamping) })
	stamped.Go(func() { a.checkpointLater(stamping) })
	stamped.Go(func() { a.followLater(stamping) })
	stamped.Go(func() { a.refreshLater(stamping) })
	defer stamped.Wait()
	defer stopStamping()
	server := &http.Server{
		Handler: routes(site), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if err := greet(local{a}); err != nil {
		return errors.Join(err, server.Close())
	}
	select {
	case err := <-ended:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	case <-a.failed():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	return a.failure()
}

func serveGreeting(ctx context.Context, c *console, l local, listener net.Listener) error {
	c.printf("attesta serves %s on %s\n", l.settings.PublicURL, listener.Addr())
	if terminal(c.out) {
		link, err := l.SignIn(ctx, "operator")
		if err != nil {
			return err
		}
		c.printf("  console, one-time sign-in link: %s\n", link)
	} else {
		c.printf("  for a link to the console: attesta sign-in --data %s\n", string(l.folder))
	}
	if strings.HasPrefix(l.settings.PublicURL, "http://") {
		c.printf("  the public address is not https: good for trying on this machine only\n")
	}
	c.printf("ready, pid %d; stop with Ctrl-C\n", os.Getpid())
	return nil
}

// terminal tells whether a person reads what is written: a sign-in link does
// not belong into a log.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
