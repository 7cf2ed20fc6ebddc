package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"
)

// Work is what is done to every row.
type Work struct {
	// Name tells works and their versions apart, e.g. "import/1": a record made
	// under another name is computed again.
	Name string
	// Do computes one row: it reads the row's inputs, hands its files to out and
	// returns a small record as JSON can hold it. A *Refusal is a dead letter.
	Do func(ctx context.Context, row Row, out *Outputs) (result any, err error)
}

// Record is what is remembered of a row, written after all of its outputs.
type Record struct {
	Row         Row             `json:"row"`
	Fingerprint string          `json:"fingerprint"` // "" when an input could not even be read
	Outputs     []Output        `json:"outputs,omitempty"`
	Result      json.RawMessage `json:"result,omitempty"`
	Refused     *Refusal        `json:"refused,omitempty"`
}

// Folders say where a list of rows keeps its things. Both lie on one file system.
type Folders struct {
	Out   string // outputs
	State string // records; it may name patients

	Remote Remote // nil: they are the place itself; otherwise only where this process works
}

// Remote is storage that is no file system, for which Out and State are a bench: each row's things are fetched before it is
// looked at and stored when it is done.
type Remote interface {
	// Bring makes what is stored of a row, its record and outputs, files in the folders, and says where its inputs lie there.
	Bring(ctx context.Context, row Row, f Folders) (inputs []string, err error)
	// Keep stores what was computed, the record last.
	Keep(ctx context.Context, r Record, f Folders) error
	// Leave removes a row's files from the folders.
	Leave(r Record, f Folders) error
}

func (f Folders) records() string          { return filepath.Join(f.State, "records") }
func (f Folders) record(key string) string { return filepath.Join(f.records(), key+".json") }
func (f Folders) temp() string             { return filepath.Join(f.State, "tmp") }

// Do computes one row, unless it is done: then computed is false. It may run
// for any number of rows at once, in any order and any process, and again after
// any crash. The error is a fault that no other row can be expected to escape;
// bad input is in Record.Refused.
func Do(ctx context.Context, row Row, folders Folders, work Work) (r Record, computed bool, err error) {
	if err := row.check(); err != nil {
		return r, false, err
	}
	if err := ctx.Err(); err != nil {
		return r, false, context.Cause(ctx)
	}
	r.Row = row
	here := row
	if folders.Remote != nil {
		defer func() { err = errors.Join(err, folders.Remote.Leave(r, folders)) }()
		if here.Inputs, err = folders.Remote.Bring(ctx, row, folders); err != nil {
			return r, false, fmt.Errorf("%s: %w", row.Name(), err)
		}
	}
	if r.Fingerprint, err = row.fingerprint(work.Name, here.Inputs); err == nil {
		if old, ok := folders.done(row.Key, r.Fingerprint); ok {
			return old, false, nil
		}
		err = r.compute(ctx, here, folders, work)
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		r.Refused, r.Outputs, r.Result, err = refusal, nil, nil, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("%s: %w", row.Name(), err)
	}
	if err := folders.remember(r); err != nil {
		return r, true, err
	}
	if folders.Remote != nil {
		return r, true, folders.Remote.Keep(ctx, r, folders)
	}
	return r, true, nil
}

// compute runs the work on a row, whose inputs are files here, with its own folder for unfinished files.
func (r *Record) compute(ctx context.Context, here Row, folders Folders, work Work) (err error) {
	if err := os.MkdirAll(folders.temp(), 0o700); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(folders.temp(), r.Row.Key+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	// Readers of hostile files are other people's code: a panic on one file is
	// that file's dead letter, not the end of an archive.
	defer func() {
		if p := recover(); p != nil {
			err = &Refusal{Reason: fmt.Sprintf("%s failed on it (%v)", work.Name, p), Remedy: "please report this file's kind as a fault"}
		}
	}()
	out := &Outputs{out: folders.Out, temp: temp}
	result, err := work.Do(ctx, here, out)
	if err != nil {
		return err
	}
	if r.Result, err = json.Marshal(result); err != nil {
		return fmt.Errorf("record of %s: %w", r.Row.Key, err)
	}
	r.Outputs = out.made
	return nil
}

// done returns a row's record if it fits and its outputs are whole.
func (f Folders) done(key, fingerprint string) (Record, bool) {
	r, err := readRecord(f.record(key))
	if err != nil || r.Fingerprint != fingerprint {
		return Record{}, false
	}
	return r, !slices.ContainsFunc(r.Outputs, func(o Output) bool { return !o.whole(f.Out) })
}

// remember writes a record. A row that once had outputs and now has others
// keeps no file that no record owns.
func (f Folders) remember(r Record) error {
	if old, err := readRecord(f.record(r.Row.Key)); err == nil {
		for _, o := range old.Outputs {
			if !slices.ContainsFunc(r.Outputs, func(n Output) bool { return n.Path == o.Path }) {
				if err := os.Remove(filepath.Join(f.Out, filepath.FromSlash(o.Path))); err != nil && !errors.Is(err, os.ErrNotExist) {
					return fmt.Errorf("remove an output of an earlier run: %w", err)
				}
			}
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(r); err != nil {
		return fmt.Errorf("record of %s: %w", r.Row.Key, err)
	}
	for _, dir := range []string{f.records(), f.temp()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("record of %s: %w", r.Row.Key, err)
		}
	}
	if err := renameio.WriteFile(f.record(r.Row.Key), b.Bytes(), 0o600, renameio.WithTempDir(f.temp())); err != nil {
		return fmt.Errorf("record of %s: %w", r.Row.Key, err)
	}
	return nil
}

func readRecord(path string) (Record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Record{}, err
	}
	var r Record
	if err := json.Unmarshal(b, &r); err != nil {
		return Record{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
