package dss

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
)

// SigTEnds is from when on a seal claims its time in iat and no longer in sigT
// (ETSI TS 119 182-1 V1.2.1 clause 5.2.1).
func SigTEnds() time.Time { return time.Date(2025, 7, 15, 0, 0, 0, 0, time.UTC) }

// LevelOf is the level that the library gives to a good seal without time
// stamps, in general serialization: baseline B, or none of the standard where
// the seal claims a later time in sigT, as earlier readers know it.
func LevelOf(file []byte) (string, error) {
	var sealed struct {
		Signatures []struct {
			Protected string `json:"protected"`
		} `json:"signatures"`
	}
	if err := json.Unmarshal(file, &sealed); err != nil {
		return "", fmt.Errorf("reading the sealed file: %w", err)
	}
	if len(sealed.Signatures) != 1 {
		return "", fmt.Errorf("reading the sealed file: it has %d signatures", len(sealed.Signatures))
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed.Signatures[0].Protected)
	if err != nil {
		return "", fmt.Errorf("reading the protected header: %w", err)
	}
	var header struct {
		SigT time.Time `json:"sigT"`
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		return "", fmt.Errorf("reading the protected header: %w", err)
	}
	if header.SigT.Before(SigTEnds()) { // also where there is none
		return "JAdES-BASELINE-B", nil
	}
	return "JSON-NOT-ETSI", nil
}
