package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

// What is made lies in the folder generated, which is in no repository and may
// be empty but for its README.md: then the site does without. A file may be
// compressed (.gz) and is served under its name without that.
//
//go:generate go run generate_zxing.go

//go:embed generated
var made embed.FS

// readMade adds to the assets what go generate has made.
func (a assetSet) readMade(from fs.FS) error {
	entries, err := fs.ReadDir(from, "generated")
	if err != nil {
		return fmt.Errorf("listing generated files: %w", err)
	}
	for _, e := range entries {
		if e.Name() == "README.md" {
			continue
		}
		data, err := fs.ReadFile(from, "generated/"+e.Name())
		if err != nil {
			return fmt.Errorf("reading generated file %s: %w", e.Name(), err)
		}
		a.add(strings.TrimSuffix(e.Name(), ".gz"), data)
	}
	return nil
}

// gzipped tells whether an asset is kept compressed.
func gzipped(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b}) }

// maxUnpacked bounds an asset that is unpacked for who takes no gzip.
const maxUnpacked = 64 << 20

// packed prepares the answer with an asset that is kept compressed: as it is for
// who takes gzip, unpacked for others.
func packed(w http.ResponseWriter, r *http.Request, data []byte) ([]byte, error) {
	w.Header().Add("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("unpacking an asset: %w", err)
	}
	whole, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err == nil && len(whole) > maxUnpacked {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking an asset: %w", err)
	}
	return whole, nil
}

// takesGzip tells whether an answer may be compressed (RFC 9110, section
// 12.5.3). One that is named with a weight of zero is refused.
func takesGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ReplaceAll(strings.ToLower(weight), " ", "")
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || !strings.HasPrefix(weight, "q=")
		}
	}
	return false
}
