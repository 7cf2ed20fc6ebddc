package data

import (
	"math"
	"slices"

	"elastography/data/phantom"
)

// Squares are regionSideMM wide, as large as the smallest tumour worth scoring (facts: 5 mm), on a lattice of half
// that; a benign one keeps guardMM clear of every tumour.
const (
	regionSideMM = 5.0
	guardMM      = 2.0
	// A region's peers are benign, of the same plane and zone, nearly as deep, and do not overlap it.
	peerDepthMM = 3.0
	leastPeers  = 3
	zoneReachMM = 3.0
)

// Region is a piece of tissue scored against histopathology: a square, a focus or a half of the peripheral zone.
type Region struct {
	Patient, Plane      string
	Tumour              bool
	Zone                uint8 // label of the benign tissue in and around it
	DepthMM, LateralMM  float64
	KPa                 float64 // mean stiffness that the scanner shows
	Grey                float64 // mean grey level, 0..1
	Contrast            float64 // Grey minus the mean of its peers; NaN with fewer than three
	row, column, extent int     // of a square, in pixels of its sample
}

// Squares cuts a sample into squares by the label map given (as registered or true): at least half of each must lie in
// the organ and show a stiffness. A square is tumour where at least half of it is; what is benign keeps its guard.
func Squares(s *Sample, labels []uint8) []Region {
	guard := int(math.Ceil(guardMM / s.Grid.MMPerPx))
	clear := slices.DeleteFunc(squares(s, labels), func(r Region) bool {
		return !r.Tumour && countLabels(labels, s.Grid, r.row-guard, r.column-guard, r.row+r.extent+guard, r.column+r.extent+guard).foci > 0
	})
	compareWithPeers(clear)
	return clear
}

// squares are all squares, however close to a tumour; their Contrast is not set.
func squares(s *Sample, labels []uint8) []Region {
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
			margin := guard
			if r.Tumour {
				margin = reach
			}
			r.Zone = countLabels(labels, s.Grid, top-margin, left-margin, top+side+margin, left+side+margin).zone
			list = append(list, r)
		}
	}
	return list
}

// compareWithPeers fills Contrast: a reader sees a region against its like in the same image, whatever the gain.
func compareWithPeers(list []Region) {
	for k := range list {
		a := &list[k]
		a.Contrast = a.Grey - meanGrey(list, func(b Region) bool {
			apart := max(a.row-b.row, b.row-a.row) >= a.extent || max(a.column-b.column, b.column-a.column) >= a.extent
			return !b.Tumour && b.Zone == a.Zone && apart && math.Abs(a.DepthMM-b.DepthMM) <= peerDepthMM
		})
	}
}

// meanGrey is the mean over the peers in a list; NaN with fewer than leastPeers.
func meanGrey(list []Region, peer func(Region) bool) float64 {
	var sum, n float64
	for _, r := range list {
		if peer(r) {
			sum, n = sum+r.Grey, n+1
		}
	}
	if n < leastPeers {
		return math.NaN()
	}
	return sum / n
}

type labelCount struct {
	zone uint8 // the commonest benign label; 0 if there is none
	foci int   // pixels of tumour
}

// countLabels looks at rows [top, bottom) and columns [left, right) as far as they are on the map.
func countLabels(labels []uint8, g Grid, top, left, bottom, right int) labelCount {
	var c labelCount
	var seen [phantom.LabelFocus]int
	for y := max(0, top); y < min(g.Height, bottom); y++ {
		for x := max(0, left); x < min(g.Width, right); x++ {
			switch l := labels[y*g.Width+x]; {
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
