package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"attesta/keys"
)

// folder is the data folder of an installation and what lies in it.
type folder string

func (f folder) store() string    { return filepath.Join(string(f), "registry.db") }
func (f folder) keys() string     { return filepath.Join(string(f), "keys") }
func (f folder) trust() string    { return filepath.Join(string(f), "trust") }
func (f folder) own() string      { return filepath.Join(f.trust(), "this-installation.json") }
func (f folder) ownList() string  { return filepath.Join(f.trust(), "this-installation"+heldEnding) }
func (f folder) settings() string { return filepath.Join(string(f), "settings.json") }
func (f folder) beside() string   { return filepath.Join(string(f), "server.json") }

// master is the file of the master key. An operator may keep it elsewhere.
func (f folder) master(getenv func(string) string) string {
	if name := getenv("ATTESTA_MASTER_KEY_FILE"); name != "" {
		return name
	}
	return filepath.Join(string(f), "master.key")
}

// settings are what an installation keeps of how it was begun.
type settings struct {
	// PublicURL is written into every credential: its status is published there.
	PublicURL     string `json:"public_url"`
	Demonstration bool   `json:"demonstration,omitempty"`
	// Store is the address of a registry in PostgreSQL, and Registry the name of
	// that registry. Without them the registry is a file in the folder.
	Store    string `json:"store,omitempty"`
	Registry string `json:"registry,omitempty"`
	// Moving is set while the registry is copied from the file to PostgreSQL.
	Moving bool `json:"moving,omitempty"`
	// TimeAuthority is asked for time stamps; empty when none is.
	TimeAuthority string `json:"time_authority,omitempty"`
	// Behind are the networks of proxies in front of a server, for one start.
	Behind []netip.Prefix `json:"-"`
}

const defaultAddress = "127.0.0.1:8080"

func (f folder) readSettings() (settings, error) {
	var s settings
	raw, err := os.ReadFile(f.settings())
	if errors.Is(err, fs.ErrNotExist) {
		return s, &hinted{fmt.Errorf("%s was begun and not finished: its settings are missing", string(f)), "put settings.json back from a copy; if nothing was issued yet, remove the folder and begin again"}
	}
	if err != nil {
		return s, fmt.Errorf("reading the settings: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the settings in %s: %w", f.settings(), err)
	}
	return s, nil
}

func (f folder) writeSettings(s settings) error {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetIndent("", " ")
	e.SetEscapeHTML(false) // an address may have an & that a person wants to read
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	if err := keys.WriteFile(f.settings(), raw.Bytes()); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

// readPrivate reads a file that steers this program, if nobody else may write
// or read it.
func readPrivate(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("reading %s: others on this machine may read or write it", name)
	}
	return os.ReadFile(name)
}

// exists tells whether an installation was begun in the folder.
func (f folder) exists() (bool, error) {
	_, err := os.Stat(f.store())
	if errors.Is(err, fs.ErrNotExist) {
		if s, err2 := f.readSettings(); err2 != nil || s.Store == "" {
			return false, nil
		}
		err = nil
	}
	if err != nil {
		return false, err
	}
	info, err := os.Stat(string(f))
	if err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return false, &hinted{fmt.Errorf("other users of this machine may change what is in %s", string(f)), "run: chmod 700 " + string(f)}
	}
	return true, err
}

// errNoData is the answer where a command needs an installation.
func (f folder) errNoData() error {
	return &hinted{
		fmt.Errorf("there is no attesta data in %s", string(f)),
		"begin with: attesta demo, or: attesta import --data " + string(f) + " --provider FILE",
	}
}

// publicURL checks an address under which an installation is reached.
func publicURL(address string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", misuse("write it like https://attestati.example.org", "the public address %q is not of the form https://host", address)
	}
	return u.String(), nil
}
