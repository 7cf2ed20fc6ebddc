package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
)

// Row is one line of a work list. It is plain data: another engine may carry it
// as JSON.
type Row struct {
	Key    string            `json:"key"`              // names the row's record: unique in the list, the same in every run
	Inputs []string          `json:"inputs,omitempty"` // files that the work reads; it may read nothing else
	Args   map[string]string `json:"args,omitempty"`   // whatever else the result depends on
}

// Name is how a dead letter calls the row: its first input, or its key.
func (r Row) Name() string {
	if len(r.Inputs) > 0 {
		return r.Inputs[0]
	}
	return r.Key
}

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

func (r Row) check() error {
	if !keyPattern.MatchString(r.Key) {
		return fmt.Errorf("archive: row key %q is not 1 to 100 letters, digits, '.', '_' or '-'", r.Key)
	}
	return nil
}

// fingerprint is the SHA-256 of everything the row's result depends on: the
// work's name, the row and its inputs' bytes, which lie in the files here. An
// unreadable input is a Refusal.
func (r Row) fingerprint(work string, here []string) (string, error) {
	h := sha256.New()
	line, err := json.Marshal(r) // map keys are sorted
	if err != nil {
		return "", fmt.Errorf("archive: row %s: %w", r.Key, err)
	}
	fmt.Fprintf(h, "%s\n%s\n", work, line)
	for i, path := range here {
		sum, err := hashFile(path)
		if err != nil {
			return "", &Refusal{Reason: cause(err), Remedy: "check that " + r.Inputs[i] + " is a readable file"}
		}
		fmt.Fprintln(h, sum)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// cause is a file error without the path that the dead letter names anyway.
func cause(err error) string {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return "cannot " + p.Op + " it: " + p.Err.Error()
	}
	return err.Error()
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Refusal is a row's input found bad: it is recorded, the run goes on. Any
// other error of the work (a full disk, a bug in its set-up) ends the run.
type Refusal struct {
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Error is the reason and the remedy.
func (r *Refusal) Error() string { return r.Reason + "; " + r.Remedy }
