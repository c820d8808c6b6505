-- migrate:up
-- A ruled shot may still have something to look at.
DROP INDEX IF EXISTS shot_review;
CREATE INDEX IF NOT EXISTS shot_review ON shot (session_id, release_time, id)
    WHERE status <> 'voided' AND (
        status = 'unresolved' OR flags && (
            '{ambiguous,out_of_end,extra_arrow,wrong_face,line_call,duplicate_suspect,'
            'late_landing,reader_offline}'
        )::text[]
    );

-- migrate:down
DROP INDEX IF EXISTS shot_review;
CREATE INDEX IF NOT EXISTS shot_review ON shot (session_id, release_time, id)
    WHERE status <> 'voided' AND NOT flags @> '{ruled}'::text[] AND (
        status = 'unresolved' OR flags && (
            '{ambiguous,out_of_end,extra_arrow,wrong_face,line_call,duplicate_suspect,'
            'late_landing,reader_offline}'
        )::text[]
    );
