-- The answers already given to scan ids.
-- Parameters: (uuid[])
SELECT scan_id, encode(fingerprint, 'hex'), plant_id, answer FROM pull_receipt WHERE scan_id = ANY($1)
