package intake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/scan"
)

// Result is the small record of an imported file.
type Result struct {
	Planes     []data.Row     `json:"planes"`               // without split, which is the cohort's to give
	Frames     int            `json:"frames"`               // pictures in the file
	Repeated   int            `json:"repeated,omitempty"`   // frames of a cine left out as copies of another
	Unreadable int            `json:"unreadable,omitempty"` // frames of a cine in which no SWE was understood
	Removed    map[string]int `json:"removed,omitempty"`    // identifying DICOM elements left out, by name
	MetadataOf string         `json:"metadata_of"`          // "dicom" or "picture"
}

// Work is the import of one row, for archive.Run or another engine.
func (im *Importer) Work() archive.Work {
	return archive.Work{Name: "import/1", Do: func(ctx context.Context, row archive.Row, out *archive.Outputs) (any, error) {
		var stage stage
		result, err := im.read(ctx, row, func(p *data.Plane) error { return stage.add(p, out.Temp()) })
		if refused, ok := errors.AsType[*scan.RefusedError](err); ok {
			return nil, im.refuse(row, refused)
		}
		if err != nil {
			return nil, err
		}
		result.Planes = stage.rows
		return result, stage.hand(out)
	}}
}

// read understands a row's files by what they are, and hands over plane by
// plane: a long cine takes the memory of one.
func (im *Importer) read(ctx context.Context, row archive.Row, emit func(*data.Plane) error) (Result, error) {
	if isArrays(row) {
		planes, err := im.arrays(row)
		if err != nil {
			return Result{}, err
		}
		for _, p := range planes {
			if err := emit(p); err != nil {
				return Result{}, err
			}
		}
		return Result{Frames: len(planes), MetadataOf: "picture"}, nil
	}
	opt, err := options(row.Args)
	if err != nil {
		return Result{}, &archive.Refusal{Reason: err.Error(), Remedy: "mend the table or the flag"}
	}
	name, err := im.contentName(row.Inputs[0])
	if err != nil {
		return Result{}, err
	}
	if isDICOM(row.Inputs[0]) {
		return im.cine(ctx, row, opt, name, emit)
	}
	s, err := screen(row.Inputs[0], opt)
	if err != nil {
		return Result{}, err
	}
	return Result{Frames: 1, MetadataOf: "picture"}, emit(screenPlane(s, row.Args, row.Args["patient"], name))
}

func isArrays(row archive.Row) bool {
	return row.Args["bmode"] != "" || strings.EqualFold(filepath.Ext(row.Inputs[0]), ".npz")
}

// screen reads a picture file.
func screen(path string, opt scan.Options) (*scan.Screen, error) {
	s, err := scan.ReadScreen(path, opt)
	if _, ok := errors.AsType[*scan.RefusedError](err); err != nil && !ok {
		return nil, badFile(path, err)
	}
	return s, err
}

// badFile makes a reader's error a dead letter, without the path that the dead
// letter names anyway.
func badFile(path string, err error) error {
	text := err.Error()
	if _, after, ok := strings.Cut(text, path+": "); ok {
		text = after
	}
	reason, remedy, ok := strings.Cut(strings.ReplaceAll(text, path, "it"), "; ")
	if !ok {
		remedy = "export the file again"
	}
	return &archive.Refusal{Reason: reason, Remedy: remedy}
}

func screenPlane(s *scan.Screen, args map[string]string, patient, name string) *data.Plane {
	p := newPlane(args, patient, name)
	p.MMPerPx, p.ScaleMaxKPa, p.Height, p.Width = s.MMPerPx, s.ScaleMaxKPa, s.Height, s.Width
	p.BMode, p.SWEKPa, p.Saturated, p.Confidence = s.BMode, s.SWEKPa, s.Saturated, s.Confidence
	return p
}

// contentName names a file by its bytes: its own name may be a patient's, and
// two copies of one export are one plane.
func (im *Importer) contentName(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", badFile(file, err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", badFile(file, err)
	}
	return "scan-" + im.opaque("content", string(h.Sum(nil))), nil
}

// stage keeps a row's planes in its temporary folder until all of them are
// there: a file that turns out bad at its last frame leaves nothing.
type stage struct {
	dir  string
	rows []data.Row
}

// add stores a plane. data.Save makes a whole little cohort of it, of which the
// plane is kept: the format of planes has one writer.
func (s *stage) add(p *data.Plane, temp string) error {
	if err := p.Check(); err != nil {
		return &archive.Refusal{Reason: err.Error(), Remedy: "check pixel size, scale maximum and arrays"}
	}
	s.dir = temp
	c, err := data.Save(temp, []*data.Plane{p}, func(string) data.Split { return data.Train }, nil, "")
	if err != nil {
		return err
	}
	stored := c.Rows[0]
	stored.Split = ""
	s.rows = append(s.rows, stored)
	return nil
}

// hand makes the planes outputs.
func (s *stage) hand(out *archive.Outputs) error {
	for _, r := range s.rows {
		file := path.Join(r.Patient, r.Plane+".npz")
		if err := out.Adopt(filepath.Join(s.dir, filepath.FromSlash(file)), file); err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a refusal of package scan a dead letter and draws what was seen.
// The picture is the whole screen and may show a name: it stays private.
func (im *Importer) refuse(row archive.Row, r *scan.RefusedError) error {
	refusal := &archive.Refusal{Reason: r.Reason, Remedy: r.Remedy}
	if r.Seen == nil {
		return refusal
	}
	seen := filepath.Join("refused", row.Key+".png")
	if err := WritePNG(filepath.Join(im.Private, seen), r.Seen); err != nil {
		return err
	}
	refusal.Remedy += "; what was seen is drawn in " + filepath.Join(im.Private, seen)
	return refusal
}

// WritePNG stores a private picture, atomically.
func WritePNG(path string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Cleanup()
	// Speed over size: these are looked at once.
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, img); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
