"""Judges what the Go writers write, with the readers that others use.

    python check.py MAP.dcm CAPTURE.dcm KPA.f32 CAPTURE.rgb SOURCE_UID

Any warning of pydicom or highdicom is an error. KPA.f32 holds the map's kPa as
little-endian floats (NaN: none), CAPTURE.rgb the panel's pixels. Prints the
largest difference in kPa.
"""
import sys
import warnings

warnings.simplefilter("error")

import numpy as np
import pydicom
from highdicom.pm.sop import pmread

map_path, capture_path, kpa_path, rgb_path, source_uid = sys.argv[1:]

pm = pmread(map_path)
want = np.fromfile(kpa_path, "<f4").reshape(pm.Rows, pm.Columns)
got = pm.get_volume(apply_real_world_transform=True, dtype=np.float64).array[0]
valid = ~np.isnan(want)
assert (pm.pixel_array[~valid] == pm.FloatPixelPaddingValue).all(), "missing values are not padding"
error = np.abs(got[valid] - want[valid]).max()
assert error < 0.1, error

shared = pm.SharedFunctionalGroupsSequence[0]
mapping = shared.RealWorldValueMappingSequence[0]
unit = mapping.MeasurementUnitsCodeSequence[0]
assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("kPa", "UCUM"), unit
spacing = shared.PixelMeasuresSequence[0].PixelSpacing
derivation = pm.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
if source_uid:
    assert derivation.SourceImageSequence[0].ReferencedSOPInstanceUID == source_uid
    assert [u[2] for u in pm.get_source_image_uids()] == [source_uid]
assert pm.ContentQualification == "RESEARCH"
volume = pm.get_volume_geometry()
assert volume is not None and np.allclose(volume.spacing[1:], spacing), volume

sc = pydicom.dcmread(capture_path)
panel = np.fromfile(rgb_path, np.uint8).reshape(-1, sc.Columns, 3)
assert (sc.pixel_array[: len(panel)] == panel).all(), "the panel changed"
assert len(panel) < sc.Rows, "no strip under the panel"

for ds in (pm, sc):
    text = str(ds)
    for word in ("synthetic, research use", "model-7f3a", "simulated prostate, 40 patients"):
        assert word in text, word
    assert ds.PatientIdentityRemoved == "YES"
    for e in ds.iterall():  # every value fits its representation
        if e.VR not in ("OB", "OW", "OF", "SQ"):
            for v in e.value if isinstance(e.value, pydicom.multival.MultiValue) else [e.value]:
                pydicom.valuerep.validate_value(e.VR, str(v) if e.VR in ("DS", "IS") else v, pydicom.config.RAISE)
print(f"{error:.6f}")
