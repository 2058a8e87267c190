package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"attesta/issuer"
	"attesta/registry"
	"attesta/web"
)

// maxDeviceCopy bounds what a device is asked to keep, in bytes.
const maxDeviceCopy = 64 << 20

// deviceCopy is what a device keeps of a running installation, to check without
// a network: of an export the parts that a check needs. The manifest is that of
// an export. The files are at the addresses at which the server publishes them
// anyway, so that what is fetched after the manifest is never older than it says.
type deviceCopy struct {
	local
	mu   sync.Mutex
	made manifest
	copy web.DeviceCopy

	failed   error // of the last try, and when that was
	failedAt time.Time
}

// copyPause is how long nobody tries again what has just failed.
const copyPause = 10 * time.Second

// get returns the copy of now, which may be as old as a status list on its way.
func (d *deviceCopy) get(ctx context.Context) (web.DeviceCopy, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := d.now().Sub(d.made.Made); d.copy.Manifest != nil && age >= 0 && age < issuer.ListMaxAge {
		return d.copy, nil
	}
	if age := d.now().Sub(d.failedAt); d.failed != nil && age >= 0 && age < copyPause {
		return web.DeviceCopy{}, d.failed
	}
	m, made, err := d.make(ctx)
	if err != nil {
		err = fmt.Errorf("making the copy for devices: %w", err)
		if ctx.Err() == nil {
			d.failed, d.failedAt = err, d.now()
		}
		return web.DeviceCopy{}, err
	}
	d.made, d.copy, d.failed = m, made, nil
	return made, nil
}

func (d *deviceCopy) make(ctx context.Context) (manifest, web.DeviceCopy, error) {
	made := web.DeviceCopy{Trust: map[string][]byte{}}
	x := d.exporting()
	x.manifest.Verifier = true
	x.write = func(name string, data []byte) error {
		if made.Bytes += len(data); made.Bytes > maxDeviceCopy {
			return fmt.Errorf("it is more than %d MB: %w", maxDeviceCopy>>20, registry.ErrFull)
		}
		if dir, file := path.Split(name); dir == "trust/" {
			made.Trust[file] = data
		}
		return nil
	}
	keys := func(context.Context) error { return x.keyDocuments() }
	for _, part := range []func(context.Context) error{x.statusLists, keys, x.anchors, x.accreditations} {
		if err := part(ctx); err != nil {
			return manifest{}, made, err
		}
	}
	for n, f := range x.manifest.Files {
		x.manifest.Files[n].Name = strings.TrimPrefix(f.Path, "/")
	}
	raw, err := json.Marshal(x.manifest)
	made.Manifest = raw
	return x.manifest, made, errors.Join(err, ctx.Err())
}
