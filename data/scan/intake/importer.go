package intake

import (
	"fmt"
	"image"
	"maps"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/scan"
)

// Importer turns exported files into a cohort.
type Importer struct {
	Out     string     // the cohort: holds nothing that names a patient
	Private string     // beside it, for the user alone: records, refusals, what was seen
	Key     *dicom.Key // of the pseudonyms
}

// PrivateFolder is where a cohort's private things are kept by default: beside
// it, so that the cohort can be handed on as it is.
func PrivateFolder(out string) string { return filepath.Clean(out) + "-private" }

// Folders are the importer's, for package archive.
func (im *Importer) Folders() archive.Folders {
	return archive.Folders{Out: im.Out, State: im.Private}
}

// Defaults are what the command line says of every file; a table's cell of the
// same name wins.
type Defaults map[string]string

// Rows makes the work list: a row an item, named by a keyed hash of its files'
// paths, so that the same file is the same row in every run.
func (im *Importer) Rows(items []Item, defaults Defaults) []archive.Row {
	rows := make([]archive.Row, len(items))
	for i, item := range items {
		args := maps.Clone(map[string]string(defaults))
		if args == nil {
			args = map[string]string{}
		}
		maps.Copy(args, item.Fields)
		args["patient"] = im.Key.Pseudonym(item.Patient)
		rows[i] = archive.Row{Key: im.opaque("file", strings.Join(item.Files, "\x00")), Inputs: item.Files, Args: args}
	}
	return rows
}

// opaque is a short name that only the key's holder can make of what.
func (im *Importer) opaque(kind, what string) string {
	return strings.TrimPrefix(im.Key.Pseudonym(kind+"\x00"+what), "p-")
}

// namePattern leaves room for a frame's number within data's 64 characters.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)

// Rectangle reads "left,top,right,bottom" in pixels; an empty text is an empty
// rectangle.
func Rectangle(text string) (image.Rectangle, error) {
	var r image.Rectangle
	if text == "" {
		return r, nil
	}
	if n, err := fmt.Sscanf(text, "%d,%d,%d,%d", &r.Min.X, &r.Min.Y, &r.Max.X, &r.Max.Y); err != nil || n != 4 || r.Empty() {
		return r, fmt.Errorf("%q is not LEFT,TOP,RIGHT,BOTTOM in pixels, such as 312,149,615,258", text)
	}
	return r, nil
}

// options are a row's wishes about its screen.
func options(args map[string]string) (opt scan.Options, err error) {
	for _, v := range []struct {
		name string
		into *float64
	}{{"scale_max_kpa", &opt.ScaleMaxKPa}, {"mm_per_px", &opt.MMPerPx}, {"opacity", &opt.Opacity}} {
		if args[v.name] == "" {
			continue
		}
		if *v.into, err = strconv.ParseFloat(args[v.name], 64); err != nil {
			return opt, fmt.Errorf("%s is %q, not a number", v.name, args[v.name])
		}
	}
	if opt.OverlayBox, err = Rectangle(args["box"]); err != nil {
		return opt, err
	}
	opt.ColourBar, err = Rectangle(args["bar"])
	return opt, err
}

// newPlane starts a plane with what the row says of it.
func newPlane(args map[string]string, patient, name string) *data.Plane {
	p := &data.Plane{Patient: patient, Name: name, Organ: "unknown", Scanner: "unknown", Source: data.Imported}
	if args["organ"] != "" {
		p.Organ = args["organ"]
	}
	if args["scanner"] != "" {
		p.Scanner = args["scanner"]
	}
	if args["plane"] != "" {
		p.Name = args["plane"]
	}
	return p
}
