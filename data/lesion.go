package data

import (
	"maps"
	"math"
	"slices"

	"elastography/data/phantom"
)

// Lesions are the foci of a sample, each one case whatever its size, and its benign Squares. A focus is scored over all of
// it that shows a stiffness, at least a disc as wide as a square; its peers are the benign squares of its zone, nearly as
// deep.
func Lesions(s *Sample, labels []uint8) []Region {
	benign := slices.DeleteFunc(Squares(s, labels), func(r Region) bool { return r.Tumour })
	foci := make(map[uint8]*focusExtent)
	for i, l := range labels {
		if !isFocus(l) || !s.Mask[i] {
			continue
		}
		f := foci[l]
		if f == nil {
			f = &focusExtent{top: s.Grid.Height, left: s.Grid.Width}
			foci[l] = f
		}
		f.add(i/s.Grid.Width, i%s.Grid.Width, float64(s.TargetKPa[i]), float64(s.Image[i]))
	}
	list, px := slices.Clone(benign), s.Grid.MMPerPx
	reach := int(zoneReachMM/px + 0.5)
	for _, l := range slices.Sorted(maps.Keys(foci)) {
		f := foci[l]
		if f.pixels*px*px < math.Pi/4*regionSideMM*regionSideMM {
			continue
		}
		r := Region{Patient: s.Patient, Plane: s.Plane, Tumour: true, KPa: f.kPa / f.pixels, Grey: f.grey / f.pixels,
			DepthMM:   (f.row/f.pixels + 0.5) * px,
			LateralMM: (f.column/f.pixels + 0.5 - float64(s.Grid.Width)/2) * px,
			Zone:      countLabels(labels, s.Grid, f.top-reach, f.left-reach, f.bottom+reach, f.right+reach).zone}
		r.Contrast = r.Grey - meanGrey(benign, func(b Region) bool {
			return b.Zone == r.Zone && math.Abs(b.DepthMM-r.DepthMM) <= peerDepthMM
		})
		list = append(list, r)
	}
	return list
}

// focusExtent sums the pixels of a focus.
type focusExtent struct {
	pixels, row, column, kPa, grey float64
	top, left, bottom, right       int // half open
}

func (f *focusExtent) add(row, column int, kPa, grey float64) {
	f.pixels, f.row, f.column = f.pixels+1, f.row+float64(row), f.column+float64(column)
	f.kPa, f.grey = f.kPa+kPa, f.grey+grey
	f.top, f.left = min(f.top, row), min(f.left, column)
	f.bottom, f.right = max(f.bottom, row+1), max(f.right, column+1)
}

// Sextants are the left and the right half of a plane's peripheral zone, as systematic biopsy and the studies behind the
// published cuts divide the gland (Correas 2015; with planes at base, mid and apex a man has six). A half is scored by its
// stiffest square, where an examiner puts the measuring circle (assumption: the abstracts do not say), and is tumour where
// a square of it is. A square counts if at most a tenth of it is of other zones. Contrast is not set.
func Sextants(s *Sample, labels []uint8) []Region {
	halves := [2]Region{}
	for _, r := range squares(s, labels) {
		if r.Zone != phantom.LabelPZ || 10*otherZones(labels, s.Grid, r) > r.extent*r.extent {
			continue
		}
		half := &halves[0]
		if r.LateralMM >= 0 {
			half = &halves[1]
		}
		tumour := half.Tumour || r.Tumour
		if r.KPa > half.KPa {
			*half = r
		}
		half.Tumour, half.Contrast = tumour, math.NaN()
	}
	return slices.DeleteFunc(halves[:], func(r Region) bool { return r.Patient == "" })
}

// otherZones counts a square's pixels that are neither peripheral zone nor tumour.
func otherZones(labels []uint8, g Grid, r Region) (n int) {
	for y := r.row; y < r.row+r.extent; y++ {
		for _, l := range labels[y*g.Width+r.column:][:r.extent] {
			if l != phantom.LabelPZ && !isFocus(l) {
				n++
			}
		}
	}
	return n
}
