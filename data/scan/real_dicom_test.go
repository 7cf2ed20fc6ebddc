package scan

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"elastography/data/dicom"
	"elastography/data/dicom/dicomtest"
)

// No elastogram is seen where there is none: the DICOM files of pydicom and
// pydicom-data, ultrasound with colour flow and dual views among them, are all
// refused, even when the questions of scale and pixel size, on which most would
// fail, are answered beforehand. The test skips, and says so, without the files.
func TestRealFilesWithoutElastogramAreRefused(t *testing.T) {
	answered := Options{ScaleMaxKPa: 100, MMPerPx: 0.1}
	files, pictures, ultrasound := 0, 0, 0
	for _, pkg := range []string{"pydicom", "pydicom-data"} {
		err := filepath.WalkDir(dicomtest.Files(t, pkg), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			im, err := dicom.Open(path)
			if err != nil {
				return nil // not for this reader: see package dicom's own tests
			}
			defer im.Close()
			files++
			if im.Modality == "US" {
				ultrasound++
			}
			for i := range im.Frames {
				if i > 0 && i != im.Frames/2 && i != im.Frames-1 {
					continue
				}
				frame, err := im.Frame(i)
				if err != nil {
					continue
				}
				pictures++
				s, err := Analyse(frame.Image(), answered)
				if _, refused := errors.AsType[*RefusedError](err); !refused {
					t.Errorf("%s, frame %d: %v, %+v; want a refusal", filepath.Base(path), i, err, s)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d files, %d of them ultrasound: %d frames refused", files, ultrasound, pictures)
	if ultrasound < 5 || pictures < 50 {
		t.Errorf("only %d ultrasound files and %d frames were looked at: the packages hold more", ultrasound, pictures)
	}
}
