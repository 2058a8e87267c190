package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// folder is the data folder of an installation and what lies in it.
type folder string

func (f folder) store() string    { return filepath.Join(string(f), "registry.db") }
func (f folder) keys() string     { return filepath.Join(string(f), "keys") }
func (f folder) trust() string    { return filepath.Join(string(f), "trust") }
func (f folder) own() string      { return filepath.Join(f.trust(), "this-installation.json") }
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
}

const defaultAddress = "127.0.0.1:8080"

func (f folder) readSettings() (settings, error) {
	var s settings
	raw, err := os.ReadFile(f.settings())
	if err != nil {
		return s, fmt.Errorf("reading the settings: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the settings in %s: %w", f.settings(), err)
	}
	return s, nil
}

func (f folder) writeSettings(s settings) error {
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	if err := os.WriteFile(f.settings(), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the settings: %w", err)
	}
	return nil
}

// exists tells whether an installation was begun in the folder.
func (f folder) exists() (bool, error) {
	_, err := os.Stat(f.store())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
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
