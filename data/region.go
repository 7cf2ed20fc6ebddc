package data

import (
	"math"

	"elastography/data/phantom"
)

// Regions are squares of regionSideMM, as large as the smallest tumour worth scoring (facts: 5 mm), on a lattice of half
// that; a benign one keeps guardMM clear of every tumour.
const (
	regionSideMM = 5.0
	guardMM      = 2.0
	// A region's peers are benign, of the same plane and zone, nearly as deep, and do not overlap it.
	peerDepthMM = 3.0
	leastPeers  = 3
	zoneReachMM = 3.0
)

// Region is a square of tissue scored against histopathology.
type Region struct {
	Patient, Plane      string
	Tumour              bool
	Zone                uint8 // label of the benign tissue in and around it
	DepthMM, LateralMM  float64
	KPa                 float64 // mean stiffness that the scanner shows
	Grey                float64 // mean grey level, 0..1
	Contrast            float64 // Grey minus the mean of its peers; NaN with fewer than three
	row, column, extent int     // in pixels of its sample
}

// Regions cuts a sample into regions by the label map given (as registered or true): at least half of each must lie in
// the organ and show a stiffness. A region is tumour where at least half of it is.
func Regions(s *Sample, labels []uint8) []Region {
	h, w, px := s.Grid.Height, s.Grid.Width, s.Grid.MMPerPx
	side, guard, reach := max(2, int(regionSideMM/px+0.5)), int(math.Ceil(guardMM/px)), int(zoneReachMM/px+0.5)
	stride := max(1, side/2)
	var list []Region
	for top := 0; top+side <= h; top += stride {
		for left := 0; left+side <= w; left += stride {
			r := Region{Patient: s.Patient, Plane: s.Plane, row: top, column: left, extent: side,
				DepthMM: (float64(top) + float64(side)/2) * px, LateralMM: (float64(left) + float64(side)/2 - float64(w)/2) * px}
			n, tumour := 0, 0
			for y := top; y < top+side; y++ {
				for i := y*w + left; i < y*w+left+side; i++ {
					if !s.Mask[i] || labels[i] == phantom.LabelOutside {
						continue
					}
					n++
					r.KPa += float64(s.TargetKPa[i])
					r.Grey += float64(s.Image[i])
					if isFocus(labels[i]) {
						tumour++
					}
				}
			}
			if 2*n < side*side {
				continue
			}
			r.KPa, r.Grey, r.Tumour = r.KPa/float64(n), r.Grey/float64(n), 2*tumour >= n
			around := countLabels(labels, h, w, top-guard, left-guard, top+side+guard, left+side+guard)
			if !r.Tumour && around.foci > 0 {
				continue
			}
			if r.Zone = around.zone; r.Tumour {
				r.Zone = countLabels(labels, h, w, top-reach, left-reach, top+side+reach, left+side+reach).zone
			}
			list = append(list, r)
		}
	}
	compareWithPeers(list)
	return list
}

// compareWithPeers fills Contrast: a reader sees a region against its like in the same image, whatever the gain.
func compareWithPeers(list []Region) {
	for k := range list {
		a := &list[k]
		var sum, n float64
		for i := range list {
			b := &list[i]
			apart := max(a.row-b.row, b.row-a.row) >= a.extent || max(a.column-b.column, b.column-a.column) >= a.extent
			if !b.Tumour && b.Zone == a.Zone && apart && math.Abs(a.DepthMM-b.DepthMM) <= peerDepthMM {
				sum, n = sum+b.Grey, n+1
			}
		}
		if a.Contrast = math.NaN(); n >= leastPeers {
			a.Contrast = a.Grey - sum/n
		}
	}
}

type labelCount struct {
	zone uint8 // the commonest benign label; 0 if there is none
	foci int   // pixels of tumour
}

// countLabels looks at rows [top, bottom) and columns [left, right) as far as they are on the map.
func countLabels(labels []uint8, h, w, top, left, bottom, right int) labelCount {
	var c labelCount
	var seen [phantom.LabelFocus]int
	for y := max(0, top); y < min(h, bottom); y++ {
		for x := max(0, left); x < min(w, right); x++ {
			switch l := labels[y*w+x]; {
			case isFocus(l):
				c.foci++
			case l != phantom.LabelOutside:
				if seen[l]++; seen[l] > seen[c.zone] {
					c.zone = l
				}
			}
		}
	}
	return c
}

func isFocus(label uint8) bool { return label >= phantom.LabelFocus }
