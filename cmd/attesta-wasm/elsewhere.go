//go:build !js

package main

import (
	"context"
	"errors"

	"attesta/web"
)

// offer has nobody to offer anything to.
func offer(func(context.Context, request) (web.Answer, error)) error {
	return errors.New("this program is for browsers: go generate ./web/offline builds it for them")
}
