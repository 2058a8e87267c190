package dss

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Variable names the folder in which the judge was built: its classes and, in
// lib, what it needs.
const Variable = "DSS_JUDGE"

// ErrNotThere means that there is no judge to ask.
var ErrNotThere = errors.New("the judge is not there")

// Judge is the program in a folder. Every call of Do starts it once, which
// takes a second or two: hand it many tasks at a time.
type Judge struct{ java, classes string }

// Find returns the judge that Variable names. The error wraps ErrNotThere when
// the variable, the program or Java is missing.
func Find() (Judge, error) {
	dir := os.Getenv(Variable)
	if dir == "" {
		return Judge{}, fmt.Errorf("%w: %s is not set", ErrNotThere, Variable)
	}
	main := filepath.Join(dir, "classes", "attesta", "interop", "dss", "Judge.class")
	if _, err := os.Stat(main); err != nil {
		return Judge{}, fmt.Errorf("%w: %s names a folder without it: %w", ErrNotThere, Variable, err)
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return Judge{}, fmt.Errorf("%w: %w", ErrNotThere, err)
	}
	return Judge{java, filepath.Join(dir, "classes") + string(os.PathListSeparator) + filepath.Join(dir, "lib", "*")}, nil
}

// The kinds of task.
const (
	Validate = "validate"
	Sign     = "sign"
)

// Task is one thing to do, of the kind Validate or Sign. Certificates and lists
// are DER, a private key is PKCS #8, a chain begins with its leaf.
type Task struct {
	Kind    string    `json:"kind"`
	Anchors [][]byte  `json:"anchors,omitempty"` // trusted for seals, time stamps and revocation
	CRLs    [][]byte  `json:"crls,omitempty"`
	At      time.Time `json:"at,omitzero"` // of validation or, claimed, of signing; now where zero

	File []byte `json:"file,omitempty"` // to validate

	Payload       string   `json:"payload,omitempty"` // to sign, and all that follows
	Key           []byte   `json:"key,omitempty"`
	Chain         [][]byte `json:"chain,omitempty"`
	Digest        string   `json:"digest,omitempty"`        // SHA256, SHA384, SHA512
	Level         string   `json:"level,omitempty"`         // B, T, LT, LTA
	Serialization string   `json:"serialization,omitempty"` // general, flattened
	B64           bool     `json:"b64,omitempty"`           // the payload base64url-encoded in the file
	PlainEtsiU    bool     `json:"plainEtsiU,omitempty"`    // entries of etsiU as objects
	SigT          bool     `json:"sigT,omitempty"`          // the time in sigT instead of iat
	ContentStamp  bool     `json:"contentStamp,omitempty"`
	Again         bool     `json:"again,omitempty"`  // a second archive time stamp
	SHA256        bool     `json:"sha256,omitempty"` // name the certificate and stamp by SHA-256, not by the library's own choice
	TSAKey        []byte   `json:"tsaKey,omitempty"`
	TSAChain      [][]byte `json:"tsaChain,omitempty"`
}

// Result is what became of a task. Failure stands alone: the library would not
// do it.
type Result struct {
	Failure string `json:"failure"`

	File []byte `json:"file"` // signed

	Signatures    int      `json:"signatures"`
	Unrecognised  string   `json:"unrecognised"`  // why the file is no signed document
	Level         string   `json:"level"`         // JAdES-BASELINE-B, …
	Indication    string   `json:"indication"`    // TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE
	SubIndication string   `json:"subIndication"` // HASH_FAILURE, …
	Intact        bool     `json:"intact"`        // the signature value fits the key
	Valid         bool     `json:"valid"`         // and so does everything it refers to
	SignedBy      string   `json:"signedBy"`
	Errors        []string `json:"errors"`
	Warnings      []string `json:"warnings"`
	Stamps        []Stamp  `json:"stamps"`
}

// Stamp is a time stamp of a signature.
type Stamp struct {
	Type       string `json:"type"` // CONTENT_TIMESTAMP, SIGNATURE_TIMESTAMP, ARCHIVE_TIMESTAMP
	Found      bool   `json:"found"`
	Intact     bool   `json:"intact"` // its imprint is that of what it covers
	Indication string `json:"indication"`
}

// Do hands over tasks and returns one result for each, in their order.
func (j Judge) Do(ctx context.Context, tasks ...Task) ([]Result, error) {
	job, err := json.Marshal(map[string]any{"tasks": tasks})
	if err != nil {
		return nil, fmt.Errorf("writing the job: %w", err)
	}
	var out, said bytes.Buffer
	program := exec.CommandContext(ctx, j.java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", j.classes, "attesta.interop.dss.Judge")
	program.Stdin, program.Stdout, program.Stderr = bytes.NewReader(job), &out, &said
	if err := program.Run(); err != nil {
		return nil, fmt.Errorf("asking the judge: %w\n%s", err, said.Bytes())
	}
	var answer struct {
		Results []Result `json:"results"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		return nil, fmt.Errorf("reading what the judge says: %w", err)
	}
	if len(answer.Results) != len(tasks) {
		return nil, fmt.Errorf("the judge gave %d results for %d tasks", len(answer.Results), len(tasks))
	}
	return answer.Results, nil
}
