package scan

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"os"
	"testing"

	"elastography/data/scan/example"
)

// FuzzAnalyse spoils a good screen: every eight bytes paint or copy one
// rectangle. Whatever comes out, a result must be whole and a refusal worded.
func FuzzAnalyse(f *testing.F) {
	base := smallScreen(f)
	if s, err := Analyse(base, Options{}); err != nil {
		f.Fatal(err)
	} else {
		s.check(f)
	}
	f.Add([]byte{})
	f.Add([]byte{0, 0, 255, 255, 0, 0, 0, 0})               // all black
	f.Add([]byte{60, 30, 120, 90, 255, 0, 0, 0})            // red over the box
	f.Add([]byte{220, 30, 20, 200, 10, 10, 10, 0})          // no bar
	f.Add([]byte{0, 128, 255, 128, 0, 0, 0, 0})             // no second view
	f.Add([]byte{60, 0, 120, 128, 60, 128, 0, 1})           // a third view
	f.Add([]byte{150, 0, 60, 255, 0, 0, 0, 2, 0, 0, 1, 1})  // inverted
	f.Add([]byte{0, 0, 255, 255, 128, 0, 0, 2, 9, 9, 9, 9}) // inverted throughout
	f.Fuzz(func(t *testing.T, edits []byte) {
		im := image.NewRGBA(base.Rect)
		copy(im.Pix, base.Pix)
		w, h := im.Rect.Dx(), im.Rect.Dy()
		for n := 0; len(edits) >= 8 && n < 32; n, edits = n+1, edits[8:] {
			x, y := int(edits[0])*w/256, int(edits[1])*h/256
			r := image.Rect(x, y, x+int(edits[2])*w/256+1, y+int(edits[3])*h/256+1).Intersect(im.Rect)
			switch edits[7] % 3 {
			case 0:
				draw.Draw(im, r, image.NewUniform(color.RGBA{edits[4], edits[5], edits[6], 255}), image.Point{}, draw.Src)
			case 1:
				draw.Draw(im, r, base, image.Pt(int(edits[4])*w/256, int(edits[5])*h/256), draw.Src)
			case 2:
				for y := r.Min.Y; y < r.Max.Y; y++ {
					for x := r.Min.X; x < r.Max.X; x++ {
						p := im.Pix[im.PixOffset(x, y):]
						p[0], p[1], p[2] = 255-p[0], 255-p[1], 255-p[2]
					}
				}
			}
		}
		s, err := Analyse(im, Options{})
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		s.check(t)
	})
}

// smallScreen is a good screen of half the usual size, so that many can be tried.
func smallScreen(t testing.TB) *image.RGBA {
	t.Helper()
	m := made{name: "fuzz", opacity: 0.5, limitKPa: 150, colours: example.Jet()}
	large := m.anatomy()
	half := example.Tissue{Height: large.h / 2, Width: large.w / 2, MMPerPx: 10.0 / 32, Box: image.Rectangle{large.box.Min.Div(2), large.box.Max.Div(2)}}
	for y := range half.Height {
		for x := range half.Width {
			i := 2*y*large.w + 2*x
			half.Grey, half.KPa, half.Shown = append(half.Grey, large.grey[i]), append(half.KPa, large.kPa[i]), append(half.Shown, large.shown[i])
		}
	}
	s, err := example.Device{Opacity: m.opacity, ScaleMaxKPa: m.limitKPa, Map: m.colours}.Draw(half)
	if err != nil {
		t.Fatal(err)
	}
	return s.Image
}

// FuzzDecode feeds bytes to the whole path from file to result.
func FuzzDecode(f *testing.F) {
	small := image.NewRGBA(image.Rect(0, 0, 80, 70))
	var p, j bytes.Buffer
	if err := png.Encode(&p, small); err != nil {
		f.Fatal(err)
	}
	if err := jpeg.Encode(&j, small, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(p.Bytes())
	f.Add(j.Bytes())
	f.Add(p.Bytes()[:40])
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x00\x00"))
	if real, err := os.ReadFile("testdata/aixplorer_muscle_150kPa_50pct.png"); err == nil {
		f.Add(real[:2000])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		img, err := decode("fuzz", bytes.NewReader(data), 1<<18)
		if err != nil {
			return
		}
		if s, err := Analyse(img, Options{MaxPixels: 1 << 18}); err == nil {
			s.check(t)
		}
	})
}

// check holds a screen against what every caller relies on.
func (s *Screen) check(t testing.TB) {
	t.Helper()
	n := s.Height * s.Width
	if n <= 0 || len(s.BMode) != n || len(s.SWEKPa) != n || len(s.Saturated) != n || len(s.Confidence) != n {
		t.Fatalf("arrays of %d, %d, %d, %d for %d x %d", len(s.BMode), len(s.SWEKPa), len(s.Saturated), len(s.Confidence), s.Width, s.Height)
	}
	if !(s.MMPerPx > 0) || !(s.ScaleMaxKPa > 0) || !(s.Opacity > 0 && s.Opacity <= 1) {
		t.Fatalf("%g mm per px, %g kPa, opacity %g", s.MMPerPx, s.ScaleMaxKPa, s.Opacity)
	}
	for i, v := range s.SWEKPa {
		c := float64(s.Confidence[i])
		if v == v && (v < 0 || float64(v) > s.ScaleMaxKPa*1.0001) || !(c >= 0 && c <= 1) || v != v && (s.Saturated[i] || c != 0) {
			t.Fatalf("pixel %d: %g kPa, saturated %v, confidence %g", i, v, s.Saturated[i], c)
		}
	}
	if s.Annotated().Bounds().Empty() {
		t.Fatal("no annotated picture")
	}
}
