package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"elastography/beam/storage"
	"elastography/data/dicom"
	"elastography/data/scan/intake"
)

// desk is where the submitter of an import keeps the little that it needs of the
// cohort: the cohort itself or, for a URL, a scratch folder of this machine with
// records and no planes.
type desk struct {
	importer     *intake.Importer
	out, private string // paths or URLs
	key          string // of the pseudonyms, as workers find it
	scratch      string // "" where the cohort is in a folder
}

func openDesk(ctx context.Context, out, key string) (d *desk, err error) {
	d = &desk{out: out, private: intake.PrivateFolder(out), key: key}
	if !storage.IsURL(out) {
		d.importer = &intake.Importer{Out: d.out, Private: d.private}
		if d.key == "" {
			d.key = filepath.Join(d.private, "pseudonym.key")
		}
		if d.key, err = filepath.Abs(d.key); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		if d.importer.Key, err = dicom.OpenKey(d.key); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
		return d, d.importer.Claim()
	}
	if err := storage.Check(out); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	d.private = storage.Join(out) + "-private"
	if key == "" {
		return nil, fmt.Errorf("import: name the pseudonym key of %s with --key: a file that every worker can read, or a URL; whoever holds it can undo the pseudonyms", out)
	}
	if d.scratch, err = os.MkdirTemp("", "sswe-beam-"); err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	d.importer = &intake.Importer{Out: filepath.Join(d.scratch, "out"), Private: filepath.Join(d.scratch, "private")}
	if err := d.claim(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// claim ties the URL to the key, as Importer.Claim does a folder.
func (d *desk) claim(ctx context.Context) error {
	if err := errors.Join(os.MkdirAll(d.importer.Out, 0o700), os.MkdirAll(d.importer.Private, 0o700)); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	here := d.key
	if storage.IsURL(d.key) {
		here = filepath.Join(d.scratch, "key")
		if err := storage.Download(ctx, d.key, here); err != nil {
			return fmt.Errorf("import: pseudonym key: %w", err)
		}
		if err := os.Chmod(here, 0o600); err != nil {
			return fmt.Errorf("import: %w", err)
		}
	}
	if _, err := os.Stat(here); err != nil { // OpenKey would make one that the workers do not have
		return fmt.Errorf("import: pseudonym key: %w", err)
	}
	var err error
	if d.importer.Key, err = dicom.OpenKey(here); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	const mark = "key_check"
	for from, to := range map[string]string{storage.Join(d.private, mark): filepath.Join(d.importer.Private, mark),
		storage.Join(d.out, "manifest.csv"): filepath.Join(d.importer.Out, "manifest.csv")} {
		if err := storage.Download(ctx, from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("import: %w", err)
		}
	}
	if err := d.importer.Claim(); err != nil {
		return err
	}
	if err := storage.Upload(ctx, filepath.Join(d.importer.Private, mark), storage.Join(d.private, mark)); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// seal makes the cohort of what the workers left.
func (d *desk) seal(ctx context.Context, testShare float64) (*intake.Summary, error) {
	if d.scratch == "" {
		return d.importer.Seal(testShare)
	}
	records, err := storage.List(ctx, storage.Join(d.private, "records", "*.json"))
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	for _, name := range records {
		if err := storage.Download(ctx, name, filepath.Join(d.importer.Private, "records", filepath.Base(name))); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	s, err := d.importer.Seal(testShare)
	if err != nil {
		return nil, err
	}
	for _, to := range []struct{ dir, url, last string }{{d.importer.Private, d.private, ""}, {d.importer.Out, d.out, "manifest.csv"}} {
		if err := send(ctx, to.dir, to.url, to.last); err != nil {
			return nil, fmt.Errorf("import: %w", err)
		}
	}
	return s, nil
}

// send uploads the files of a folder, one of them last.
func send(ctx context.Context, dir, url, last string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := []string{}
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != last {
			names = append(names, e.Name())
		}
	}
	if _, err := os.Stat(filepath.Join(dir, last)); last != "" && err == nil {
		names = append(names, last)
	}
	for _, name := range names {
		if err := storage.Upload(ctx, filepath.Join(dir, name), storage.Join(url, name)); err != nil {
			return err
		}
	}
	return nil
}

// Close leaves nothing of it on this machine.
func (d *desk) Close() error {
	if d.scratch == "" {
		return nil
	}
	return os.RemoveAll(d.scratch)
}
