package intake

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data/archive"
	"elastography/data/scan"
)

// PreviewFolders are where previews go: private, since a preview is the whole
// screen with whatever name is burned in.
func (im *Importer) PreviewFolders() archive.Folders {
	return archive.Folders{Out: filepath.Join(im.Private, "preview"), State: filepath.Join(im.Private, "preview", ".state")}
}

// PreviewWork draws what is found on each screen, refused or not, and stores
// the decisions beside it as text.
func (im *Importer) PreviewWork() archive.Work {
	return archive.Work{Name: "preview/1", Do: func(ctx context.Context, row archive.Row, out *archive.Outputs) (any, error) {
		opt, err := options(row.Args)
		if err != nil {
			return nil, &archive.Refusal{Reason: err.Error(), Remedy: "mend the table or the flag"}
		}
		s, err := look(ctx, row, opt)
		name := strings.TrimSuffix(filepath.Base(row.Inputs[0]), filepath.Ext(row.Inputs[0])) + "-" + row.Key[:6]
		if refused, ok := errors.AsType[*scan.RefusedError](err); ok {
			return nil, im.refuse(row, refused)
		}
		if err != nil {
			return nil, err
		}
		if err := out.Write(name+".txt", func(w io.Writer) error {
			_, err := io.WriteString(w, s.Layout.String())
			return err
		}); err != nil {
			return nil, err
		}
		return nil, out.Write(name+".png", func(w io.Writer) error { return png.Encode(w, s.Annotated()) })
	}}
}

// Screens are the rows that can be previewed; the others hold arrays.
func Screens(rows []archive.Row) (screens []archive.Row, arrays int) {
	for _, row := range rows {
		if isArrays(row) {
			arrays++
		} else {
			screens = append(screens, row)
		}
	}
	return screens, arrays
}

// PreviewWords is what a preview found, a line a decision.
func PreviewWords(r archive.Record, folders archive.Folders) (string, error) {
	for _, o := range r.Outputs {
		if path.Ext(o.Path) == ".txt" {
			b, err := os.ReadFile(filepath.Join(folders.Out, filepath.FromSlash(o.Path)))
			return string(b), err
		}
	}
	return "", fmt.Errorf("the preview of %s has no words", r.Row.Name())
}

// look understands a picture file, or the first frame of a DICOM file that is.
func look(ctx context.Context, row archive.Row, opt scan.Options) (s *scan.Screen, err error) {
	if !isDICOM(row.Inputs[0]) {
		return screen(row.Inputs[0], opt)
	}
	err = eachFrame(ctx, row.Inputs[0], opt, func(_ int, found *scan.Screen) bool {
		s = found
		return false
	})
	return s, err
}

// Claim ties the private folder to the key: pseudonyms of two keys in one cohort
// would make one patient two, and perhaps both train and test.
func (im *Importer) Claim() error {
	file := filepath.Join(im.Private, "key_check")
	mark := im.opaque("key", "check") + "\n"
	old, err := os.ReadFile(file)
	switch {
	case err == nil && string(old) == mark:
		return nil
	case err == nil:
		return fmt.Errorf("import: %s was begun with another pseudonym key; give that key with --key, or choose another --out", im.Out)
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("import: %w", err)
	}
	if _, err := os.Stat(filepath.Join(im.Out, "manifest.csv")); err == nil {
		return fmt.Errorf("import: %s holds a cohort that was not begun with %s; choose another --out", im.Out, im.Private)
	}
	if err := os.MkdirAll(im.Private, 0o700); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if err := renameio.WriteFile(file, []byte(mark), 0o600); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	return nil
}
