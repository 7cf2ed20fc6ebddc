package data

import (
	"math"
	"slices"
	"testing"

	"elastography/data/phantom"
)

// striped is a sample of 40 x 80 pixels of 0.7 mm whose tissue depends on the column alone.
func striped(at func(x int) (grey, kPa float32, label uint8)) *Sample {
	const h, w = 40, 80
	s := &Sample{Patient: "a", Plane: "mid", Grid: Grid{Height: h, Width: w, MMPerPx: statisticsMM}}
	for range h {
		for x := range w {
			grey, kPa, label := at(x)
			s.Image, s.TargetKPa, s.Labels, s.Mask = append(s.Image, grey), append(s.TargetKPa, kPa), append(s.Labels, label), append(s.Mask, true)
		}
	}
	return s
}

// A focus of 11 by 28 mm holds many squares and is one lesion, as dark and as stiff as it is on average.
func TestAFocusIsOneLesionHoweverLarge(t *testing.T) {
	s := striped(func(x int) (float32, float32, uint8) {
		if x < 16 {
			return 0.3, 50, phantom.LabelFocus
		}
		return 0.5, 20, phantom.LabelPZ
	})
	tumour := func(r Region) bool { return !r.Tumour }
	squares := slices.DeleteFunc(Squares(s, s.Labels), tumour)
	lesions := slices.DeleteFunc(Lesions(s, s.Labels), tumour)
	if len(squares) < 20 || len(lesions) != 1 {
		t.Fatalf("%d tumour squares and %d lesions; want many and one", len(squares), len(lesions))
	}
	l := lesions[0]
	if math.Abs(l.KPa-50) > 1e-5 || math.Abs(l.Contrast+0.2) > 1e-6 || l.Zone != phantom.LabelPZ {
		t.Errorf("lesion of %.2f kPa, contrast %.3f, zone %d; want 50, -0.2 and the peripheral zone", l.KPa, l.Contrast, l.Zone)
	}
	if math.Abs(l.LateralMM-(8-40)*statisticsMM) > 1e-6 {
		t.Errorf("lesion at %.2f mm", l.LateralMM)
	}
}

// A speck smaller than a disc of 5 mm is not scored.
func TestASpeckOfTumourIsNoLesion(t *testing.T) {
	s := striped(func(int) (float32, float32, uint8) { return 0.5, 20, phantom.LabelPZ })
	for i := range 30 { // 15 mm²
		s.Labels[20*80+40+i%6+80*(i/6)] = phantom.LabelFocus
	}
	for _, r := range Lesions(s, s.Labels) {
		if r.Tumour {
			t.Errorf("a focus of 15 mm² is scored: %+v", r)
		}
	}
}

// Half of a peripheral zone is as stiff as its stiffest square, and has cancer wherever in it the cancer lies.
func TestAHalfOfThePeripheralZoneIsReadAtItsStiffestSquare(t *testing.T) {
	s := striped(func(x int) (float32, float32, uint8) {
		switch {
		case x < 14:
			return 0.5, 30, phantom.LabelFocus // softer than the benign nodule beside it
		case x < 28:
			return 0.5, 45, phantom.LabelPZ
		case x < 52:
			return 0.5, 80, phantom.LabelTZ // another zone: not read
		}
		return 0.5, 20, phantom.LabelPZ
	})
	halves := Sextants(s, s.Labels)
	if len(halves) != 2 {
		t.Fatalf("%d halves", len(halves))
	}
	if left := halves[0]; !left.Tumour || math.Abs(left.KPa-45) > 4 {
		t.Errorf("left half: tumour %v at %.1f kPa; want tumour, 45 kPa and at most a tenth of 80", left.Tumour, left.KPa)
	}
	if right := halves[1]; right.Tumour || math.Abs(right.KPa-20) > 6 {
		t.Errorf("right half: tumour %v at %.1f kPa; want benign, 20 kPa and at most a tenth of 80", right.Tumour, right.KPa)
	}
}
