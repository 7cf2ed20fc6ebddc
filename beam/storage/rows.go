package storage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"elastography/data/archive"
)

// Rows lets package archive do rows whose inputs, outputs or records are URLs,
// in folders of this machine: what there is of a row is brought, the row is
// done, its outputs are stored and then, last, its record. An object appears
// whole or not at all, so the record keeps its promise without a rename.
type Rows struct {
	Out, State string // URLs or paths: where outputs and records belong
}

var _ archive.Remote = Rows{}

// Bring implements archive.Remote.
func (s Rows) Bring(ctx context.Context, row archive.Row, f archive.Folders) (inputs []string, err error) {
	for i, name := range row.Inputs {
		if !IsURL(name) {
			inputs = append(inputs, name)
			continue
		}
		file := filepath.Join(s.inputs(row, f), fmt.Sprint(i), filepath.Base(name)) // its name may decide how it is read
		if err := Download(ctx, name, file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		inputs = append(inputs, file) // one that isn't there is the row's dead letter, as on a disk
	}
	if !IsURL(s.State) {
		return inputs, nil
	}
	old, err := s.record(ctx, row.Key)
	if err != nil || old == nil {
		return inputs, err
	}
	for _, o := range old.Outputs {
		file := filepath.Join(f.Out, filepath.FromSlash(o.Path))
		if err := Download(ctx, Join(s.Out, o.Path), file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	b, err := json.Marshal(old)
	if err != nil {
		return nil, err
	}
	return inputs, Write(ctx, recordOf(f.State, row.Key), b)
}

// Keep implements archive.Remote.
func (s Rows) Keep(ctx context.Context, r archive.Record, f archive.Folders) error {
	if !IsURL(s.State) {
		return nil
	}
	old, err := s.record(ctx, r.Row.Key)
	if err != nil {
		return err
	}
	for _, o := range r.Outputs {
		if err := Upload(ctx, filepath.Join(f.Out, filepath.FromSlash(o.Path)), Join(s.Out, o.Path)); err != nil {
			return err
		}
	}
	for _, file := range s.besides(r.Row, f) {
		rel, err := filepath.Rel(f.State, file)
		if err != nil {
			return err
		}
		if err := Upload(ctx, file, Join(s.State, filepath.ToSlash(rel))); err != nil {
			return err
		}
	}
	if err := Upload(ctx, recordOf(f.State, r.Row.Key), recordOf(s.State, r.Row.Key)); err != nil {
		return err
	}
	if old == nil {
		return nil
	}
	for _, o := range old.Outputs {
		if !slices.ContainsFunc(r.Outputs, func(n archive.Output) bool { return n.Path == o.Path }) {
			if err := Remove(ctx, Join(s.Out, o.Path)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Leave implements archive.Remote.
func (s Rows) Leave(r archive.Record, f archive.Folders) error {
	err := os.RemoveAll(s.inputs(r.Row, f))
	if !IsURL(s.State) {
		return err
	}
	files := append(s.besides(r.Row, f), recordOf(f.State, r.Row.Key))
	for _, o := range r.Outputs {
		files = append(files, filepath.Join(f.Out, filepath.FromSlash(o.Path)))
	}
	for _, file := range files {
		if e := os.Remove(file); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// record reads the stored record of a row; nil when there is none or it is
// damaged.
func (s Rows) record(ctx context.Context, key string) (*archive.Record, error) {
	b, err := Read(ctx, recordOf(s.State, key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var r archive.Record
	if json.Unmarshal(b, &r) != nil {
		return nil, nil
	}
	return &r, nil
}

// besides are the private files a row left under State beside its record, such
// as the picture of a refused screen: they bear its key.
func (s Rows) besides(row archive.Row, f archive.Folders) []string {
	files, _ := filepath.Glob(filepath.Join(f.State, "*", row.Key+".*")) // a key holds no pattern
	return slices.DeleteFunc(files, func(file string) bool { return filepath.Base(filepath.Dir(file)) == "records" })
}

func (Rows) inputs(row archive.Row, f archive.Folders) string {
	return filepath.Join(f.State, "tmp", "inputs", row.Key) // with what killed runs leave
}

func recordOf(state, key string) string { return Join(state, "records", key+".json") }
