package plots

import (
	"bytes"
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var (
	updateGolden = flag.Bool("update", false, "write the golden pictures anew, to be looked at before they are kept")
	saveTo       = flag.String("save", "", "folder to write every example to, full size and in each format")
)

// goldenDPI keeps the golden pictures small; what is wrong with a figure shows at that size too.
const goldenDPI = 50

// TestFiguresLookAsApproved compares each example with the picture that a person has looked at. Edges of letters may differ a little between processors.
func TestFiguresLookAsApproved(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) {
			f, err := e.draw()
			if err != nil {
				t.Fatal(err)
			}
			if *saveTo != "" {
				if _, err := f.Save(filepath.Join(*saveTo, e.name)); err != nil {
					t.Fatal(err)
				}
			}
			got, err := f.png(goldenDPI)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", e.name+".png")
			if *updateGolden {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v (go test -update writes it)", err)
			}
			if share := differing(t, got, want); share > 0.002 {
				t.Errorf("%.2f %% of the pixels differ from %s; go test -save DIR shows the figure, -update approves it", 100*share, path)
			}
		})
	}
}

// differing is the share of pixels that differ visibly between two PNGs of one size, or 1.
func differing(t *testing.T, a, b []byte) float64 {
	t.Helper()
	x, err := png.Decode(bytes.NewReader(a))
	if err != nil {
		t.Fatal(err)
	}
	y, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if x.Bounds() != y.Bounds() {
		return 1
	}
	const visible = 24 << 8
	apart := func(p, q uint32) bool { return max(p, q)-min(p, q) > visible }
	n, total := 0, x.Bounds().Dx()*x.Bounds().Dy()
	for i := range total {
		col, row := i%x.Bounds().Dx(), i/x.Bounds().Dx()
		r0, g0, b0, _ := x.At(col, row).RGBA()
		r1, g1, b1, _ := y.At(col, row).RGBA()
		if apart(r0, r1) || apart(g0, g1) || apart(b0, b1) {
			n++
		}
	}
	return float64(n) / float64(total)
}
