package scan

import (
	"fmt"
	"image"
	"math"
)

// Region is what a file says about a part of its picture, such as a DICOM
// ultrasound region. It is a hint: pixels decide, and a contradiction refuses.
type Region struct {
	Bounds  image.Rectangle // px
	Kind    RegionKind
	MMPerPx float64 // pixel size, 0 where the file has none
}

// RegionKind says what a region shows.
type RegionKind int

// The kinds of regions that help to read a screen.
const (
	RegionView      RegionKind = iota // an image, with or without overlay
	RegionColourBar                   // the strip of colours, perhaps with its print
)

// barRegion tells whether the file names a colour bar there.
func (o Options) barRegion(at image.Rectangle) bool {
	for _, r := range o.Regions {
		if r.Kind == RegionColourBar && 2*area(r.Bounds.Intersect(at)) > area(at) {
			return true
		}
	}
	return false
}

// regionSize is the pixel size that the file states for a view.
func (o Options) regionSize(view image.Rectangle) (mm float64, where image.Rectangle) {
	for _, r := range o.Regions {
		covers := 2*area(r.Bounds.Intersect(view)) > area(view)
		if r.Kind == RegionView && r.MMPerPx > 0 && covers && (mm == 0 || area(r.Bounds) < area(where)) {
			mm, where = r.MMPerPx, r.Bounds
		}
	}
	return mm, where
}

// sizeFromRegion settles the pixel size between the file and the ruler.
func sizeFromRegion(mm float64, where image.Rectangle, ruler Finding, rulerMM, least float64) Finding {
	f := Finding{Name: "depth ticks", Where: where, Value: fmt.Sprintf("%.4f mm per px", mm), Confidence: 0.9,
		Reason: "stated by the file for this region"}
	switch {
	case ruler.Confidence < least:
	case math.Abs(rulerMM/mm-1) < 0.03:
		f.Confidence = 1
		f.Reason += "; the ruler agrees"
	default:
		f.Confidence = 0.3
		f.Reason += fmt.Sprintf(", but the ruler says %.4f mm per px (%s)", rulerMM, ruler.Reason)
	}
	return f
}

func area(r image.Rectangle) int { return r.Dx() * r.Dy() }
