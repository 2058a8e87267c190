//go:build js

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"attesta/verifier"
	"attesta/web"
)

// offer adds the function attesta to the page, calls attestaReady, and stays.
func offer(check func(context.Context, request) (web.Answer, error)) error {
	js.Global().Set("attesta", js.FuncOf(func(_ js.Value, args []js.Value) any {
		begin := js.FuncOf(func(_ js.Value, ends []js.Value) any {
			go func() {
				answer, err := answerTo(check, args)
				if err != nil {
					ends[1].Invoke(js.Global().Get("Error").New(err.Error()))
					return
				}
				ends[0].Invoke(answer)
			}()
			return nil
		})
		defer begin.Release() // a promise calls it at once
		return js.Global().Get("Promise").New(begin)
	}))
	if ready := js.Global().Get("attestaReady"); ready.Type() == js.TypeFunction {
		ready.Invoke()
	}
	select {}
}

// answerTo answers one call. A fault in it is an error and never an answer.
func answerTo(check func(context.Context, request) (web.Answer, error), args []js.Value) (answer string, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			answer, err = "", fmt.Errorf("checking: %v", fault)
		}
	}()
	if len(args) != 1 || args[0].Type() != js.TypeObject {
		return "", errors.New("reading the request: it is no object")
	}
	asked := args[0]
	q := request{
		Presented: bytesOf(asked.Get("presented")), Fetcher: fromPage{asked.Get("list")},
		Made: textOf(asked, "made"), Until: textOf(asked, "until"), Now: textOf(asked, "now"), At: textOf(asked, "at"),
		Origin: textOf(asked, "origin"), Language: textOf(asked, "language"), Renews: asked.Get("renews").Truthy(),
	}
	if set := asked.Get("keys"); set.Type() == js.TypeObject {
		q.Keys = bytesOf(set)
	}
	for name, files := range map[string]*[]file{"anchors": &q.Anchors, "accreditations": &q.Accreditations} {
		given := asked.Get(name)
		if given.Type() != js.TypeObject {
			return "", fmt.Errorf("reading the request: %s is no array", name)
		}
		for n := range given.Length() {
			a := given.Index(n)
			*files = append(*files, file{textOf(a, "name"), bytesOf(a.Get("data"))})
		}
	}
	said, err := check(context.Background(), q)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(said)
	return string(raw), err
}

func textOf(of js.Value, name string) string {
	if v := of.Get(name); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

func bytesOf(v js.Value) []byte {
	b := make([]byte, v.Get("length").Int())
	js.CopyBytesToGo(b, v)
	return b
}

// fromPage asks the page for what an address published.
type fromPage struct{ list js.Value }

// Fetch implements verifier.Fetcher.
func (p fromPage) Fetch(ctx context.Context, address string, _ []string) ([]byte, error) {
	got := make(chan []byte, 1)
	come := js.FuncOf(func(_ js.Value, v []js.Value) any {
		if v[0].Type() != js.TypeObject {
			got <- nil
		} else {
			got <- bytesOf(v[0])
		}
		return nil
	})
	defer come.Release()
	not := js.FuncOf(func(js.Value, []js.Value) any { got <- nil; return nil })
	defer not.Release()
	p.list.Invoke(address).Call("then", come, not)
	select {
	case b := <-got:
		if b == nil {
			return nil, fmt.Errorf("%w: the copy does not have it", verifier.ErrUnreachable)
		}
		return b, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", verifier.ErrUnreachable, ctx.Err())
	}
}
