package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Output is a file that a row made.
type Output struct {
	Path   string `json:"path"` // below Out, with slashes
	SHA256 string `json:"sha256"`
}

// Outputs takes the files that one row makes. Each appears in its place whole
// or not at all. It belongs to one call of the work.
type Outputs struct {
	out, temp string
	made      []Output
}

// Temp is the row's own empty folder on the file system of the outputs, removed
// when its work ends.
func (o *Outputs) Temp() string { return o.temp }

// Write makes the output named rel (below Out, with slashes) from what write
// writes.
func (o *Outputs) Write(rel string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(o.temp, "output-")
	if err != nil {
		return fmt.Errorf("write %s: %w", rel, err)
	}
	err = errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("write %s: %w", rel, err)
	}
	return o.Adopt(f.Name(), rel)
}

// Adopt makes a file in Temp, already on disk, the output named rel.
func (o *Outputs) Adopt(file, rel string) error {
	if !filepath.IsLocal(filepath.FromSlash(rel)) {
		return fmt.Errorf("output %q leaves the folder of outputs", rel)
	}
	sum, err := hashFile(file)
	if err != nil {
		return fmt.Errorf("write %s: %w", rel, err)
	}
	place := filepath.Join(o.out, filepath.FromSlash(rel))
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", rel, err)
	}
	if err := os.Rename(file, place); err != nil {
		return fmt.Errorf("write %s: %w", rel, err)
	}
	o.made = append(o.made, Output{Path: filepath.ToSlash(rel), SHA256: sum})
	return nil
}

// whole tells whether an output is there with the bytes that were written.
func (o Output) whole(out string) bool {
	f, err := os.Open(filepath.Join(out, filepath.FromSlash(o.Path)))
	if err != nil {
		return false
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return false
	}
	return hex.EncodeToString(h.Sum(nil)) == o.SHA256
}
