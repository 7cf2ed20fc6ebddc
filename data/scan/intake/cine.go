package intake

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"strings"

	"elastography/data"
	"elastography/data/archive"
	"elastography/data/dicom"
	"elastography/data/scan"
)

// cine reads a DICOM file of one or many frames. Frames that show no new
// stiffness map are left out: a scanner draws several B-mode frames for each.
func (im *Importer) cine(ctx context.Context, row archive.Row, opt scan.Options, name string, emit func(*data.Plane) error) (Result, error) {
	path := row.Inputs[0]
	file, err := dicom.Open(path)
	if err != nil {
		return Result{}, badFile(path, err)
	}
	defer file.Close()
	identity, report := file.Deidentify(im.Key)
	result := Result{Frames: file.Frames, MetadataOf: "dicom", Removed: map[string]int{}}
	for _, element := range report.Removed {
		result.Removed[element] = 1
	}
	if report.Private > 0 {
		result.Removed["private elements"] = 1
	}
	args := row.Args
	maker := strings.TrimSpace(file.Manufacturer + " " + file.Model)

	var last *data.Plane
	var fault error
	seen, err := readFrames(ctx, file, opt, func(frame int, s *scan.Screen) bool {
		p := screenPlane(s, args, identity.Patient, name)
		if args["scanner"] == "" && maker != "" {
			p.Scanner = maker
		}
		if file.Frames > 1 {
			p.Name += fmt.Sprintf("-%04d", frame)
		}
		if last != nil && sameMap(last, p) {
			result.Repeated++
			return true
		}
		last = p
		fault = emit(p)
		return fault == nil
	})
	result.Repeated += seen.repeated
	result.Unreadable = seen.refused
	return result, errors.Join(err, fault)
}

// sightings count what became of a file's frames.
type sightings struct{ repeated, refused int }

// eachFrame opens a DICOM file for readFrames.
func eachFrame(ctx context.Context, path string, opt scan.Options, found func(frame int, s *scan.Screen) bool) error {
	file, err := dicom.Open(path)
	if err != nil {
		return badFile(path, err)
	}
	defer file.Close()
	_, err = readFrames(ctx, file, opt, found)
	return err
}

// readFrames hands over the frames that were understood, one at a time, until
// found returns false. A frame that is a copy of the one before is passed over.
// A file without any understood frame is refused as its first frame was.
func readFrames(ctx context.Context, file *dicom.Image, opt scan.Options, found func(frame int, s *scan.Screen) bool) (n sightings, err error) {
	const patience = 20 // frames
	opt.Regions = regions(file)
	var before image.Image
	var first error
	understood := false
	for k := range file.Frames {
		if ctx.Err() != nil {
			return n, context.Cause(ctx)
		}
		frame, err := file.Frame(k)
		if err != nil {
			return n, badFile(file.Name, err)
		}
		picture := frame.Image()
		if scan.SamePicture(before, picture) {
			n.repeated++
			continue
		}
		before = picture
		s, err := scan.Analyse(picture, opt)
		if refused, ok := errors.AsType[*scan.RefusedError](err); ok {
			n.refused++
			if first == nil {
				first = refused
			}
			// A cine shows the same screen throughout: many frames refused alike
			// will not be followed by a good one.
			if !understood && n.refused >= patience {
				break
			}
			continue
		}
		if err != nil {
			return n, badFile(file.Name, err)
		}
		understood = true
		if !found(k, s) {
			return n, nil
		}
	}
	if !understood && first != nil {
		return n, first
	}
	return n, nil
}

// regions are the file's own word on where things are.
func regions(file *dicom.Image) []scan.Region {
	var out []scan.Region
	for _, r := range file.Regions {
		region := scan.Region{Bounds: r.Bounds}
		switch r.Kind {
		case dicom.ColourBar:
			region.Kind = scan.RegionColourBar
		case dicom.Tissue, dicom.ColourFlow:
			region.Kind = scan.RegionView
		default:
			continue
		}
		if d, l := r.DepthMMPerPx, r.LateralMMPerPx; d > 0 && l > 0 && math.Abs(d/l-1) < 0.01 {
			region.MMPerPx = (d + l) / 2
		}
		out = append(out, region)
	}
	return out
}

// sameMap tells whether two frames show the same stiffness: the map stays while
// the B-mode under it goes on.
func sameMap(a, b *data.Plane) bool {
	if a.Height != b.Height || a.Width != b.Width {
		return false
	}
	var n, differ, gone int
	limit := float32(0.02 * a.ScaleMaxKPa) // above the noise of a lossy codec
	for i, v := range a.SWEKPa {
		w := b.SWEKPa[i]
		switch {
		case v != v && w != w:
		case v != v || w != w:
			gone++
		default:
			n++
			if v-w > limit || w-v > limit {
				differ++
			}
		}
	}
	return n > 0 && 20*gone < n && 20*differ < n
}
