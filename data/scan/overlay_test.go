package scan

import (
	"errors"
	"image"
	"math"
	"testing"

	"elastography/data/scan/example"
)

// A drawn synthetic overlay says what it is and cannot be imported as measured.
func TestASyntheticOverlayIsNoMeasurement(t *testing.T) {
	const h, w = 200, 300
	o := Overlay{Height: h, Width: w, BMode: make([]uint8, h*w), KPa: make([]float32, h*w), ScaleMaxKPa: 70, Opacity: 0.5, Lines: []string{"model x"}}
	rng := stream("overlay")
	for i := range o.KPa {
		o.BMode[i] = uint8(rng.IntN(200))
		if o.KPa[i] = float32(i%w) / w * 70; i%w < 20 {
			o.KPa[i] = float32(math.NaN())
		}
	}
	im, err := o.Draw()
	if err != nil {
		t.Fatal(err)
	}
	if p := im.RGBAAt(12+5*2, 32+100); p.R != p.G || p.G != p.B {
		t.Errorf("a pixel without stiffness is coloured %v", p)
	}
	if _, err := Analyse(im, Options{ScaleMaxKPa: 70, MMPerPx: 0.1}); err == nil {
		t.Error("a synthetic picture was taken for a measurement")
	} else if _, ok := errors.AsType[*RefusedError](err); !ok {
		t.Error(err)
	}
	o.KPa = o.KPa[1:]
	if _, err := o.Draw(); err == nil {
		t.Error("a map that does not fit was drawn")
	}
}

// A DICOM region's pixel size stands in for a missing ruler, and contradicts a
// wrong one.
func TestRegionsOfTheFileAreHints(t *testing.T) {
	m := made{name: "regions", opacity: 0.5, limitKPa: 150, colours: example.Jet(), pxPerCM: 64}
	im, tr := m.draw(t)
	view := image.Rectangle{Min: tr.plain, Max: tr.plain.Add(image.Pt(tr.w, tr.h))}
	analyse := func(mm float64) (*Screen, error) {
		return Analyse(im, Options{Regions: []Region{{Bounds: view, Kind: RegionView, MMPerPx: mm}, {Bounds: tr.bar, Kind: RegionColourBar}}})
	}
	s, err := analyse(10.0 / 64)
	if err != nil || s.Layout.Ticks.Confidence != 1 || math.Abs(s.MMPerPx-10.0/64) > 1e-9 {
		t.Fatalf("%v: an agreeing region gives %+v", err, s.Layout.Ticks)
	}
	if _, err := analyse(0.3); err == nil {
		t.Error("a region and a ruler that contradict each other were believed")
	}
}
