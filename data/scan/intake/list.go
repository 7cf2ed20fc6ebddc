package intake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"elastography/data/dicom"
)

// Item is one picture or set of arrays to import. Paths are absolute.
type Item struct {
	Files   []string // what is read; the first is the B-mode or the whole screen
	Patient string   // whose it is, as "id NUMBER" or "place PATH"; private
	Fields  map[string]string
}

// Listing is what a command line means.
type Listing struct {
	Items  []Item
	Passed int // files in folders that are no pictures, left alone
}

// extensions of files that are taken from a folder without looking into them.
var extensions = []string{".png", ".jpg", ".jpeg", ".tif", ".tiff", ".dcm", ".dicom", ".ima", ".npz"}

// List expands files, folders (with everything below), patterns such as
// "scans/*.png" and CSV tables into items, each file once, in order of name.
func List(paths []string, from PatientRule) (Listing, error) {
	var l Listing
	seen := map[string]bool{}
	add := func(item Item) {
		if id := strings.Join(item.Files, "\x00"); !seen[id] {
			seen[id] = true
			l.Items = append(l.Items, item)
		}
	}
	file := func(path string) error {
		item, err := from.Item(path)
		if err != nil {
			return err
		}
		add(item)
		return nil
	}
	for _, given := range paths {
		matches, err := expand(given)
		if err != nil {
			return l, err
		}
		for _, path := range matches {
			if path, err = filepath.Abs(path); err != nil {
				return l, fmt.Errorf("import: %w", err)
			}
			info, err := os.Stat(path)
			switch {
			case err != nil:
				return l, fmt.Errorf("import: %w", err)
			case info.IsDir():
				if err := l.folder(path, file); err != nil {
					return l, err
				}
			case strings.EqualFold(filepath.Ext(path), ".csv"):
				items, err := ReadTable(path, from)
				if err != nil {
					return l, err
				}
				for _, item := range items {
					add(item)
				}
			default:
				if err := file(path); err != nil {
					return l, err
				}
			}
		}
	}
	if len(l.Items) == 0 {
		return l, errors.New("import: no file to import there; name PNG, JPEG, TIFF, DICOM or NPZ files, their folder, or a CSV table")
	}
	slices.SortStableFunc(l.Items, func(a, b Item) int { return strings.Compare(a.Files[0], b.Files[0]) })
	return l, nil
}

// expand resolves a pattern; what is there by that very name is no pattern.
func expand(path string) ([]string, error) {
	if _, err := os.Lstat(path); err == nil || !strings.ContainsAny(path, "*?[") {
		return []string{path}, nil
	}
	matches, err := filepath.Glob(path)
	if err != nil || len(matches) == 0 {
		return nil, fmt.Errorf("import: pattern %q matches nothing (%v)", path, err)
	}
	return matches, nil
}

// folder goes through everything below a folder. Hidden files are left alone.
func (l *Listing) folder(root string, add func(string) error) error {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") && path != root {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !d.Type().IsRegular() {
			return nil
		}
		if !slices.Contains(extensions, strings.ToLower(filepath.Ext(path))) && !isDICOM(path) {
			l.Passed++
			return nil
		}
		return add(path)
	})
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}

// isDICOM looks for the mark after the preamble; scanners export DICOM without
// any extension.
func isDICOM(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 132)
	_, err = io.ReadFull(f, head)
	return err == nil && dicom.Is(head)
}
