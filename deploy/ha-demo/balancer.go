//go:build ignore

// A load balancer as plain as can be, for deploy/ha-demo/run: it hands requests
// in turn to the servers whose /readyz answers 200, and passes over the others.
//
//	balancer 127.0.0.1:8080 127.0.0.1:8081 127.0.0.1:8082
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"time"
)

const (
	pause    = 500 * time.Millisecond // between two looks at a server
	patience = 2 * time.Second        // how long a server may take to say that it is ready
)

// server is one of those behind the balancer.
type server struct {
	*httputil.ReverseProxy
	address string
	ready   atomic.Bool
}

func newServer(address string) *server {
	s := &server{address: address}
	s.ReverseProxy = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: address})
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			s.set(false, err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	return s
}

func (s *server) set(ready bool, why any) {
	if s.ready.Swap(ready) != ready {
		log.Printf("%s: ready is %v: %v", s.address, ready, why)
	}
}

func (s *server) watch() {
	client := &http.Client{Timeout: patience}
	for ; ; time.Sleep(pause) {
		ask, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.address+"/readyz", nil)
		if err != nil {
			log.Fatal(err)
		}
		answer, err := client.Do(ask)
		if err != nil {
			s.set(false, err)
			continue
		}
		_ = answer.Body.Close()
		s.set(answer.StatusCode == http.StatusOK, answer.Status)
	}
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: balancer ADDRESS SERVER...")
		os.Exit(2)
	}
	var servers []*server
	for _, address := range os.Args[2:] {
		s := newServer(address)
		servers = append(servers, s)
		go s.watch()
	}
	var turn atomic.Uint64
	front := &http.Server{Addr: os.Args[1], ReadHeaderTimeout: 5 * time.Second}
	front.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first := turn.Add(1)
		for n := range uint64(len(servers)) {
			if s := servers[(first+n)%uint64(len(servers))]; s.ready.Load() {
				s.ServeHTTP(w, r)
				return
			}
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	log.Fatal(front.ListenAndServe())
}
