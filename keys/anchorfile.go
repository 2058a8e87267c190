package keys

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
)

// WriteAnchor writes an anchor as FILE.json for LoadTrust to read.
func WriteAnchor(name string, a Anchor) error {
	raw, err := a.File()
	if err != nil {
		return err
	}
	return WriteFile(name, raw)
}

// File is the anchor as WriteAnchor writes it.
func (a Anchor) File() ([]byte, error) {
	raw, err := json.MarshalIndent(anchorFile{
		Name: a.Name, Level: a.Level, For: a.For, Periods: a.Periods, Origins: a.Origins, Revoked: a.Revoked,
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Raw})),
	}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the anchor: %w", err)
	}
	return append(raw, '\n'), nil
}
