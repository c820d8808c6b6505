-- migrate:up
-- An arrow out of every end counts when a judge said what it counts, and is not flagged then; other
-- rulings on it do not make it count.
WITH answered AS (
    UPDATE shot SET flags = array_remove(flags, 'out_of_end'), version = version + 1
    WHERE flags @> '{out_of_end,ruled}'::text[] AND EXISTS (
        SELECT FROM ruling
        WHERE ruling.shot_id = shot.id AND action = 'score' AND undone_at IS NULL
    )
    RETURNING id
), uncounted AS (
    SELECT slot_id, sum(score) AS total, count(*) AS arrows,
        count(*) FILTER (WHERE is_x) AS xs,
        count(*) FILTER (WHERE score = 11) AS elevens,
        count(*) FILTER (WHERE score = 10) AS tens,
        count(*) FILTER (WHERE score = 9) AS nines,
        count(*) FILTER (WHERE score = 6) AS sixes,
        count(*) FILTER (WHERE score = 5) AS fives
    FROM shot
    WHERE flags @> '{out_of_end,ruled}'::text[] AND status IN ('landed', 'missed')
        AND score IS NOT NULL AND id NOT IN (SELECT id FROM answered)
    GROUP BY slot_id
)
UPDATE standing SET
    total = standing.total - uncounted.total, arrows = standing.arrows - uncounted.arrows,
    xs = standing.xs - uncounted.xs, elevens = standing.elevens - uncounted.elevens,
    tens = standing.tens - uncounted.tens, nines = standing.nines - uncounted.nines,
    sixes = standing.sixes - uncounted.sixes, fives = standing.fives - uncounted.fives,
    changed_at = clock_timestamp()
FROM uncounted
WHERE standing.slot_id = uncounted.slot_id;

-- migrate:down
-- What counts is derived from the shots and the rulings again when one of them changes.
SELECT 1;
