//go:build ignore

// This program fetches the reader of QR codes that the page /verify runs in a
// browser: the npm package zxing-wasm, by version and by the hash of all of it.
// It writes into the folder generated, each with gzip, the script, its
// WebAssembly and their licences. What is there already stays. It needs npm.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	name      = "zxing-wasm"
	version   = "3.1.4"
	integrity = "1+v8p7sauddySVNG+ye7GD/0TS95BG2ycdkrC+EnBrFBFkHeIghzUt2yVjtx3NucJeNrQnhT8yGAIz60Vx9o0w==" // SHA-512 of the package, as in its registry
	folder    = "generated"
)

// taken are the files of the package and what they are called here.
var taken = map[string]string{
	"package/dist/iife/reader/index.js":     "zxing.js.gz",
	"package/dist/reader/zxing_reader.wasm": "zxing.wasm.gz",
	"package/LICENSE":                       "zxing-licence.txt.gz",
}

const stamp = name + " " + version + " " + integrity

func main() {
	log.SetFlags(0)
	log.SetPrefix("generate_zxing: ")
	if there() {
		return
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// there tells whether the files of this version were written whole. The name of
// the package stands in the comment of each, which is written last.
func there() bool {
	for _, to := range taken {
		file, err := os.Open(filepath.Join(folder, to))
		if err != nil {
			return false
		}
		z, err := gzip.NewReader(file)
		if err == nil {
			_, err = io.Copy(io.Discard, z)
		}
		_ = file.Close()
		if err != nil || z.Comment != stamp {
			return false
		}
	}
	return true
}

func run() error {
	dir, err := os.MkdirTemp("", "zxing")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	command := exec.Command("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", dir, name+"@"+version)
	command.Dir, command.Stderr = dir, os.Stderr
	if _, err := command.Output(); err != nil {
		return fmt.Errorf("fetching %s %s with npm: %w", name, version, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, name+"-"+version+".tgz"))
	if err != nil {
		return fmt.Errorf("fetching %s %s with npm: %w", name, version, err)
	}
	if sum := sha512.Sum512(raw); base64.StdEncoding.EncodeToString(sum[:]) != integrity {
		return errors.New("the package is not the one that was chosen: its hash is another")
	}
	return unpack(raw)
}

func unpack(raw []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	archive, written := tar.NewReader(z), 0
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		to, ok := taken[header.Name]
		if !ok {
			continue
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if err := write(to, data); err != nil {
			return err
		}
		written++
	}
	if written != len(taken) {
		return fmt.Errorf("the package has %d of the files that are needed", written)
	}
	return nil
}

func write(to string, data []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	z.Comment = stamp
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, to), b.Bytes(), 0o644)
}
